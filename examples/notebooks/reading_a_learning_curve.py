# %% [markdown]
# # Reading a learning curve
#
# What a loss means in nats, what a model knows when it knows only word frequencies, and how to tell a model that still learns from one that learns by heart.

# %%
# %pip install -q hornbook

# %% tags=["parameters"]
steps = 400  # two minutes on two cores, and as long for the second run
documents = 4000  # of the corpus's texts

# %%
import hornbook as hb

run = hb.train(
    name="curve",
    corpus={"limit": documents},
    tokenizer={"vocab_size": 2000},
    model={
        "preset": "tinystories-1m",
        "length": 64,
        "config": {"num_layers": 2, "attention_types": [[["global"], 2]]},
    },
    objective="causal",
    training={
        "steps": steps,
        "batch": 16,
        "optimizer": "muon",
        "learning_rate": 1e-2,
        "log_every": 1,
        "evaluate_every": max(1, steps // 10),
    },
)

# %% [markdown]
# ## Three marks on the scale
#
# A loss of x nats means that the model gives the right token a probability of e⁻ˣ, in the (geometric) mean. Two losses can be known before any training:
#
# 1. A model that finds all V tokens equally likely has ln V.
# 2. A model that knows only how frequent each token is has the entropy of the frequencies.
#
# A curve above the second mark has not yet learned to look at the words before.

# %%
import math
from collections import Counter
from itertools import islice

from hornbook.corpora import Corpus

counts = Counter()
for text in islice(Corpus(limit=documents).documents_of("train"), documents):
    counts.update(run.tokenizer(text)["input_ids"])
total = sum(counts.values())
entropy = -sum(count / total * math.log(count / total) for count in counts.values())
print(f"ln V: {math.log(len(run.tokenizer)):.3f} nats")
print(f"word frequencies alone: {entropy:.3f} nats")

# %% [markdown]
# ## The log
#
# `run.log` is a pandas frame with a row for each thing that happened. Losses of single steps jump about, because each step sees other text. A mean over some steps shows the way.

# %%
log = run.log
training = log[log["kind"] == "train"].set_index("step")
heldout = log[log["kind"] == "evaluate"].set_index("step")
smooth = training["loss"].rolling(max(1, steps // 10), min_periods=1).mean()
heldout.assign(training=smooth).loc[:, ["tokens", "loss", "training"]].rename(
    columns={"loss": "held-out"}
).round(3)

# %%
passed = heldout.index[heldout["loss"] < entropy]
print(
    f"below the word frequencies from step {passed[0]} on"
    if len(passed)
    else "not yet below the word frequencies"
)

# %% [markdown]
# As a chart:

# %%
import plotly.graph_objects as go

figure = go.Figure()
figure.add_scatter(x=training.index, y=training["loss"], name="training, each step", opacity=0.3)
figure.add_scatter(x=heldout.index, y=heldout["loss"], name="held-out", mode="lines+markers")
figure.add_hline(y=math.log(len(run.tokenizer)), annotation_text="all tokens equally likely")
figure.add_hline(y=entropy, annotation_text="word frequencies alone")
figure.update_layout(xaxis_title="steps", yaxis_title="nats a token")
figure

# %% [markdown]
# ## Learning by heart
#
# Take a few texts, and let the model see them over and over. The training loss falls and falls. The held-out loss turns back up: what the model learns is these texts, and no longer the language. The step at which the held-out loss is lowest is where one should stop. `hb.EarlyStopping` does so.

# %%
few = hb.train(
    run.recipe,
    name="by-heart",
    out="runs/by-heart",
    corpus={"limit": max(40, documents // 100)},
    tokenizer=run.tokenizer,
)
log = few.log
heldout = log[log["kind"] == "evaluate"].set_index("step")["loss"]
last = log[log["kind"] == "train"]["loss"].tail(max(1, steps // 10)).mean()
print(
    f"held-out loss: lowest {heldout.min():.3f} at step {heldout.idxmin()}, at the end {heldout.iloc[-1]:.3f}"
)
print(f"training loss at the end: {last:.3f}")

# %% [markdown]
# ## Comparing curves
#
# Losses compare only over the same tokens. Bits per byte are per byte of the text, so that they also compare models with other tokenizers. The page that `hb.compare` writes has both curves, over steps, tokens or seconds.

# %%
hb.compare([run, few])
