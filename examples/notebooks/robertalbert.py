# %% [markdown]
# # RoBERTAlbert
#
# ALBERT's architecture with RoBERTa's tokenizer: two published models, mixed with care. The layers share their weights, so the model is small, and the tokenizer can write any text.

# %%
# %pip install -q hornbook

# %% tags=["parameters"]
steps = 300  # three minutes on two cores
documents = 4000  # of the corpus's texts

# %% [markdown]
# ## What can go wrong
#
# ALBERT was published with a SentencePiece tokenizer. Its class counts positions from 0, and pads with the number 0. RoBERTa's tokenizer is byte-level BPE, its padding has the number 1 (0 in the tokenizer that is trained here), and RoBERTa's class counts positions from 2. Whoever puts one's tokenizer beside the other's configuration gets no error message. The model only pads with a word, or counts its positions from the wrong place.
#
# A preset is a family's published size. Let us see what this one comes to, before anything is trained.

# %%
import hornbook as hb

recipe = {
    "corpus": {"limit": documents},
    "tokenizer": {"vocab_size": 2000},
    "model": {
        "preset": "robertalbert",
        "length": 64,
        "config": {
            "num_hidden_layers": 4,
            "hidden_size": 128,
            "num_attention_heads": 4,
            "intermediate_size": 512,
        },
    },
    "objective": "masked",
    "training": {"steps": steps, "batch": 32, "optimizer": "muon", "learning_rate": 1e-2},
}
run = hb.train({"name": "robertalbert", **recipe})
config, tokenizer = run.model.config, run.tokenizer
print(f"{type(run.model).__name__}, {run.model.num_parameters():,} parameters")
for role in ("pad", "bos", "eos"):
    print(
        f"{role}: {getattr(config, f'{role}_token_id')} in the configuration, {getattr(tokenizer, f'{role}_token_id')} in the tokenizer"
    )
print(f"{config.max_position_embeddings} positions for a length of 64")

# %% [markdown]
# A RoBERTAlbert keeps RoBERTa's number of position rows. ALBERT counts from 0, so no token uses the last ones, as many as the id of padding plus one. That is known, and costs nothing but the rows.
#
# Four layers share one set of weights. That is where ALBERT's name comes from ("a lite BERT"). The time of a step doesn't shrink with it: each layer is still computed.

# %%
shared = sum(one.numel() for name, one in run.model.named_parameters() if "albert_layers" in name)
print(f"{shared:,} weights in the one layer that is run {config.num_hidden_layers} times")

# %% [markdown]
# ## Does it fit?
#
# The doctor asks what breaks silently between a tokenizer, an architecture and an objective. Here nothing does.

# %%
report = hb.doctor(run.model, run.tokenizer)
report

# %% [markdown]
# Now break it on purpose. If the configuration pads with RoBERTa's id for `</s>`, then the doctor says so.

# %%
config.pad_token_id = 2
broken = hb.doctor(run.model, run.tokenizer)
broken

# %%
config.pad_token_id = tokenizer.pad_token_id

# %% [markdown]
# ## Beside ALBERT as it was published
#
# The same sizes, steps and text, and the tokenizer that ALBERT came with, a Unigram. Their token losses can't be compared, since they read other tokens. The pseudo-log-likelihood is per byte of the text, and can.

# %%
albert = hb.train({"name": "albert", **recipe, "model": {**recipe["model"], "preset": "albert-base-v2"}})
hb.compare([run, albert])
