# %% [markdown]
# # Dense tokens
#
# A place in a text where a model passes its own last hidden vector on to itself instead of a word, and so thinks one step deeper: added to a model, placed in texts, trained, and looked into.

# %%
# %pip install -q hornbook

# %% tags=["parameters"]
steps = 300  # two minutes on two cores
documents = 4000  # of the corpus's texts

# %% [markdown]
# ## A model to begin with
#
# Any causal model can have dense tokens. This one is trained for two minutes on Python's manuals, so don't expect much of its words.

# %%
import hornbook as hb

run = hb.train(
    name="plain",
    corpus={"limit": documents},
    tokenizer={"vocab_size": 2000},
    model={
        "preset": "tinystories-1m",
        "length": 128,
        "config": {"num_layers": 2, "attention_types": [[["global"], 2]]},
    },
    objective="causal",
    training={"steps": steps, "batch": 16, "optimizer": "muon", "learning_rate": 1e-2},
)

# %% [markdown]
# ## The token
#
# `<|dense|>` gets a row of its own. Where it stands, the last hidden vector of the place before it is added to its embedding, scaled to the embeddings' length: unscaled it would be some fifty times too long. It shares the position of the word before it, so the words keep their positions.

# %%
import shutil

for folder in ("thinking", "chosen", "trained"):  # so that this notebook can be run twice
    shutil.rmtree(f"runs/{folder}", ignore_errors=True)
hb.dense.add(run, "runs/thinking")

# %%
hb.show("runs/thinking", "The function<|dense|> returns a<|dense|> string.")

# %% [markdown]
# ## Where does it help?
#
# Nobody knows where a model would like to think. So places are proposed by chance, filled, and scored: are the words after a dense token likelier with the vector than with zeros in its place? What helps is kept. The best of many noisy scores always looks good. That is why the same texts are scored again at fresh places.

# %%
kept = hb.dense.select("runs/thinking", "runs/chosen", windows=min(256, documents), length=48, count=3)
for name, gain in kept.facts["gains"].items():
    print(f"{name}: {gain:+.4f}" if isinstance(gain, float) else f"{name}: {gain}")

# %% [markdown]
# ## Training
#
# The loss goes back through the vectors: the model learns to write what is useful to itself. `emission=1` also teaches it to say when it wants to think. For comparison, held-out words are measured in three ways: without the token (plain), with a token that carries no vector (pause), and with the vector (dense).

# %%
import pandas as pd

figures = hb.dense.train(
    "runs/thinking", "runs/chosen", "runs/trained", steps=max(2, steps // 3), batch=16, emission=1.0
)
pd.DataFrame(figures).round(3)

# %% [markdown]
# Bits per byte of ordinary text: the plain reading stays ahead. That is what was found on stories too, with larger models and longer trainings. Dense tokens win where an answer takes more steps than a model has layers. `hb.dense.prove()` shows it in ten minutes on three such tasks, beside every control.
#
# ## Looking into it
#
# Let it write, with a dense token after every third word. Beside each stands which words the model's head reads in the vector.

# %%
print(hb.dense.generate("runs/trained", "The function returns", think="every", every=3, tokens=12, seed=1))

# %% [markdown]
# The folder opens with transformers alone. The token then acts as a pause token, since nothing carries the vector.

# %%
from transformers import AutoModelForCausalLM

print(type(AutoModelForCausalLM.from_pretrained("runs/trained")).__name__)
