# %% [markdown]
# # One tokenizer for two families
#
# A BERT and a GPT-Neo that read the very same tokens: what they share, what each needs of its own, and which of their figures may be compared.

# %%
# %pip install -q hornbook

# %% tags=["parameters"]
steps = 300  # two minutes for each model on two cores
documents = 4000  # of the corpus's texts

# %% [markdown]
# ## Why one tokenizer?
#
# If two models read different tokens, then their losses can't be compared: the loss of a longer token is larger. With one tokenizer, only the model and its objective differ.
#
# The families want different special tokens: a BERT frames each text with `[CLS]` and `[SEP]`, and a GPT-Neo only ends it. Without a family, `hb.tokenizer.train` makes a tokenizer whose special tokens serve all of them.

# %%
import hornbook as hb

corpus = {"limit": documents}
first = hb.train(
    name="shared-gpt-neo",
    corpus=corpus,
    tokenizer={"vocab_size": 2000, "style": "shared"},
    model={
        "preset": "tinystories-1m",
        "length": 64,
        "config": {"num_layers": 2, "attention_types": [[["global"], 2]]},
    },
    objective="causal",
    training={"steps": steps, "batch": 32, "optimizer": "muon", "learning_rate": 1e-2},
)
first.tokenizer

# %% [markdown]
# The second model takes the first one's tokenizer. What else it needs, its own frame around a text for example, it gets: the template of a masked model is added, and no number changes.

# %%
second = hb.train(
    name="shared-bert",
    corpus=corpus,
    tokenizer=first.tokenizer,
    model={"preset": "bert-tiny", "length": 64},
    objective="masked",
    training={"steps": steps, "batch": 32, "optimizer": "muon", "learning_rate": 1e-2},
)

# %%
sentence = "The function returns a string."
for run in (first, second):
    ids = run.tokenizer(sentence)["input_ids"]
    print(run.folder.name, ids, run.tokenizer.convert_ids_to_tokens(ids))
assert first.tokenizer.get_vocab() == second.tokenizer.get_vocab()

# %% [markdown]
# The words have the same numbers; only the frame differs.
#
# ## What may be compared?
#
# The GPT-Neo's loss is about the next token of a text, and the BERT's about tokens that were hidden while all others could be seen. The second is an easier question, so the two losses say nothing about which model is better. `hb.compare` puts figures in one column only where they answer the same question.

# %%
hb.compare([first, second])

# %% [markdown]
# Each model does what it was trained for: one goes on with a text, one fills a gap.

# %%
print(hb.generate(first, "The function returns", tokens=20, temperature=0))
for blank in hb.unmask(second, "The function returns a ___.", top=3):
    print([(one.token, round(one.probability, 3)) for one in blank.candidates])
