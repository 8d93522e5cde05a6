# %% [markdown]
# # BERT-tiny by hand
#
# A masked model from its first token, in a training loop that you write yourself: what is hidden, what the model predicts, and what the loss is. At the end the same in one call.

# %%
# %pip install -q hornbook

# %% tags=["parameters"]
steps = 300  # two minutes on two cores; 2,000 fill blanks far better
documents = 4000  # of the corpus's texts

# %% [markdown]
# ## The tokenizer
#
# A model reads numbers. A tokenizer cuts a text into pieces that occur often, and numbers them. We train one on the text that comes with Python, its manuals. BERT needs five special tokens. `family="bert"` gives them the numbers that BERT expects.

# %%
from itertools import islice

import hornbook as hb
from hornbook.corpora import Corpus

texts = list(islice(Corpus().documents_of("train"), documents))
hb.tokenizer.train(texts, "runs/bert-by-hand/tokenizer", family="bert", vocab_size=2000, length=64)

# %%
from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("runs/bert-by-hand/tokenizer")
print(tokenizer.tokenize("The function returns a string."))
print({name: tokenizer.convert_tokens_to_ids(name) for name in tokenizer.all_special_tokens})

# %% [markdown]
# ## One example
#
# A collator makes a batch out of texts. This one hides 15 % of the tokens, as BERT's paper says: of ten hidden tokens eight become `[MASK]`, one becomes a random word, and one stays as it is, so that the model has to look at every word. A label of -100 means that no loss is taken at a place.

# %%
collate = hb.collator("masked", tokenizer, length=64)
examples = collate.cut({"text": texts})["input_ids"]
batch = collate(examples[:2])
print({name: tuple(tensor.shape) for name, tensor in batch.items()})
for read, right in zip(batch["input_ids"][0].tolist(), batch["labels"][0].tolist(), strict=True):
    if right != -100:
        print(f"reads {tokenizer.decode([read])!r}, has to say {tokenizer.decode([right])!r}")

# %% [markdown]
# ## The model
#
# BERT-tiny has 2 layers that are 128 numbers wide. Nothing of the configuration may be left to chance: the size of the vocabulary and the number of padding come from the tokenizer.

# %%
import torch
from transformers import BertConfig, BertForMaskedLM

torch.manual_seed(0)
config = BertConfig(
    vocab_size=len(tokenizer),
    pad_token_id=tokenizer.pad_token_id,
    hidden_size=128,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=512,
    max_position_embeddings=64,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
)
model = BertForMaskedLM(config)
print(f"{model.num_parameters():,} parameters")

# %% [markdown]
# ## Does all of this fit together?
#
# A tokenizer and a model can fail to fit without any error message. The doctor knows some eighty ways in which that happens, and looks for each.

# %%
hb.doctor(model, tokenizer)

# %% [markdown]
# ## The loss
#
# At each hidden place the model gives a number (a logit) for every token of the vocabulary. Softmax turns them into probabilities, and the loss is -ln of the right token's. An untrained model finds all tokens about equally likely, so its loss is near the logarithm of the vocabulary's size.

# %%
import math

with torch.no_grad():
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
places = batch["labels"] != -100
right = batch["labels"][places]
by_hand = -logits[places].log_softmax(-1)[range(len(right)), right].mean()
print(
    f"by hand {by_hand:.4f}, by the class {model(**batch).loss:.4f}, ln {len(tokenizer)} = {math.log(len(tokenizer)):.4f}"
)

# %% [markdown]
# ## The training
#
# A step takes a batch, computes the loss and its gradient, and moves each weight a little against the gradient. The learning rate grows from zero at first, since the first gradients are large and say little, and falls to zero at the end.

# %%
from torch.utils.data import DataLoader

loader = DataLoader(examples, batch_size=32, shuffle=True, collate_fn=collate)
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=2e-3, total_steps=steps)
step, losses = 0, []
while step < steps:
    for batch in islice(loader, steps - step):
        loss = model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        step += 1
        if step in (1, 10) or step % 100 == 0:
            last = losses[-50:]
            print(f"step {step}: loss {sum(last) / len(last):.3f}")

# %% [markdown]
# The loss falls quickly to what one knows from word frequencies alone, and then stays there for a while: a small masked model first learns which words are common, and only later to look at the words around a gap.
#
# ## The same in one call
#
# `hb.train` trains the same model on the same objective. It also sets a part of the text aside, to be measured on it, keeps a log, saves checkpoints, goes on where it was cut off, and is several times as fast. It uses Muon instead of AdamW, which leaves the plateau sooner.

# %%
run = hb.train(
    name="bert-tiny",
    corpus={"limit": documents},
    tokenizer=tokenizer,
    model={
        "preset": "bert-tiny",
        "length": 64,
        "config": {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0},
    },
    objective="masked",
    training={"steps": steps, "batch": 32, "optimizer": "muon", "learning_rate": 1e-2},
)
run

# %%
for blank in hb.unmask(run, "The function returns a ___.", top=5):
    for candidate in blank.candidates:
        print(f"{candidate.token}  {candidate.probability:.1%}")
