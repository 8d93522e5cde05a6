# %% [markdown]
# # A T5 in Norwegian
#
# A text-to-text model for a language that you choose: the tokenizer is trained on the language, and the model learns to write the pieces that were cut out of a text.

# %%
# %pip install -q hornbook

# %% tags=["parameters"]
steps = 1500  # three minutes on two cores
documents = 3000  # made-up stories

# %% [markdown]
# ## The text
#
# These stories are made up by a few lines of Python, so that nothing has to be downloaded, and so that a model can learn them in minutes. For real Norwegian, give `corpus` a file of yours (`Path("tekst.txt")`), a `datasets.Dataset`, or the name of a data set of the hub (`{"dataset": "OWNER/NAME"}`).

# %%
import random

who = ["Mannen", "Kvinnen", "Barnet", "Katten", "Hunden", "Læreren", "Fiskeren", "Søsteren"]
does = ["så", "fant", "ville ha", "lette etter", "glemte", "drømte om"]
what = ["båten", "huset", "en gammel bok", "det store treet", "brødet", "en rød hatt"]
where = ["ved sjøen", "i skogen", "på torget", "bak kirken", "hjemme", "på øya"]
when = ["om morgenen", "om kvelden", "hver dag", "i går", "etter skolen"]
draw = random.Random(0)


def story():
    """Tell of one thing that several people look for; who finds it is glad."""
    thing, place = draw.choice(what), draw.choice(where)
    first, second = draw.sample(who, 2)
    return (
        f"{first} {draw.choice(does)} {thing} {place} {draw.choice(when)}. {second} lette etter {thing} også. "
        f"Til slutt fant {second.lower()} {thing} {place}, og {second.lower()} var glad."
    )


stories = [story() for _ in range(documents)]
print(stories[0])

# %% [markdown]
# ## The tokenizer
#
# T5 comes with a Unigram tokenizer and a hundred sentinels, `<extra_id_0>` and so on, which mark where something was cut out. Trained on Norwegian, it has Norwegian words as single tokens. An English one would cut them into letters, and each letter would cost the model a step.

# %%
import hornbook as hb

run = hb.train(
    name="norsk-t5",
    corpus=stories,
    tokenizer={"vocab_size": 600},
    model={
        "preset": "t5-v1.1-tiny",
        "length": 64,
        "config": {
            "d_model": 128,
            "d_kv": 32,
            "d_ff": 256,
            "num_layers": 2,
            "num_decoder_layers": 2,
            "dropout_rate": 0.0,
        },
    },
    objective="span_corruption",
    training={"steps": steps, "batch": 32, "optimizer": "adafactor", "learning_rate": 3e-2},
)
print(run.tokenizer.tokenize("Læreren lette etter en rød hatt på øya."))

# %% [markdown]
# ## One example
#
# The model reads the text with sentinels in the gaps, and has to write each sentinel with what belongs there.

# %%
example = hb.show(run, "Katten fant båten ved sjøen i går.", hide="båten")
print(*(f"{one.name}: {one.text}" for one in example.sequences), sep="\n")
print(f"loss {example.loss:.3f} nats a token")

# %% [markdown]
# ## What has it learned?
#
# A run draws itself: its loss on stories that were held out. Then come some gaps. The last one has two: the same thing has to be named in both.

# %%
run

# %%
for text in (
    "Hunden fant ___ i skogen om kvelden.",
    "Kvinnen glemte brødet hjemme i går. Barnet lette etter ___ også.",
    "Mannen så en rød hatt på torget. Fiskeren lette etter ___ også. Til slutt fant fiskeren ___ på torget, og fiskeren var glad.",
):
    print(hb.infill(run, text).text)
