import json
from typing import Literal

import pytest

from hornbook.errors import HornbookError
from hornbook.evaluation.evaluate import evaluate, evaluate_run
from hornbook.objectives.causal import Causal
from hornbook.objectives.masked import Masked
from hornbook.recipe import make_recipe
from hornbook.report import read_run
from hornbook.sealed import read_sealed

MEASURES = {
    "tinystories-1m": ["bits per byte", "held-out loss"],
    "roberta-base": ["masked-token loss", "pseudo-likelihood"],
    "t5-v1.1-tiny": ["span loss"],
}
KINDS = {"tinystories-1m": "generate", "roberta-base": "unmask", "t5-v1.1-tiny": "infill"}


@pytest.mark.parametrize("preset", MEASURES)
def test_every_head_has_its_measures_and_samples(make, stories, preset):
    loaded, texts = make(preset, 128), stories[:8]
    heard = {}
    outcome = evaluate(loaded, texts, progress=lambda what, share: heard.setdefault(what, []).append(share))
    assert [one["measure"] for one in outcome["measures"]] == MEASURES[preset]
    for one in outcome["measures"]:
        known = {"measure", "value", "unit", "over", "rule", "comparable"}
        assert set(one) == known | ({"baseline"} if one["unit"] == "nats/label" else set())
        assert one["value"] > 0 and one["rule"].endswith(".") and one["comparable"].endswith(".")
        assert "loses some" not in one["comparable"]
    assert [one["kind"] for one in outcome["samples"]] == [KINDS[preset]] * 4
    assert set(heard) == {*MEASURES[preset], "samples"}
    assert all(shares == sorted(shares) and shares[-1] == 1 for shares in heard.values())
    assert evaluate(loaded, texts) == outcome


def test_models_get_the_same_prompts(make, stories):
    prompts = {
        preset: [one["prompt"] for one in evaluate(make(preset, 128), stories[:8])["samples"]]
        for preset in MEASURES
    }
    assert prompts["roberta-base"] == prompts["t5-v1.1-tiny"]
    assert prompts["tinystories-1m"] == [one.split(" <mask>")[0] for one in prompts["roberta-base"]]


def test_own_prompts_and_a_cap_are_taken_and_told(make, stories):
    loaded = make("tinystories-1m", 64)
    outcome = evaluate(loaded, stories[:8], documents=3, prompts=["Once upon a <mask> there"])
    assert outcome["measures"][0]["over"].startswith("3 documents, spread evenly over 8: ")
    (sample,) = outcome["samples"]
    assert sample["prompt"] == "Once upon a" and sample["output"].startswith("Once upon a")


def test_a_tokenizer_that_loses_text_is_told(make, stories):
    outcome = evaluate(make("bert-tiny", 64, "wordpiece", "bert"), ["a  b", *stories[:3]], prompts=[])
    assert "loses some of the text" in outcome["measures"][1]["comparable"]


def test_what_does_not_fit_is_refused(make, stories):
    with pytest.raises(HornbookError, match="no held-out text"):
        evaluate(make("tinystories-1m"), [])
    with pytest.raises(HornbookError, match="needs a masked one"):
        evaluate(make("tinystories-1m"), stories[:3], Masked())
    with pytest.raises(HornbookError, match="the tokenizer has 8 sentinels"):
        evaluate(make("t5-v1.1-tiny", 256), stories[:3])


@pytest.fixture
def run(save, story_file, tmp_path, make_tokenizer, stories):
    """A run's folder as training leaves it."""
    folder = tmp_path / "run"
    save(folder / "model", "tinystories-1m", 64)
    given = {
        "name": "tiny",
        "out": str(folder),
        "corpus": {"path": str(story_file), "documents": "line", "heldout_fraction": 0.05},
        "model": {"preset": "tinystories-1m", "length": 64},
        "objective": "causal",
        "training": {"steps": 1},
    }
    recipe = make_recipe(given)
    (folder / "recipe.yaml").write_text(recipe.to_yaml(), "utf-8")
    texts = list(recipe.corpus.documents_of("heldout"))
    part = {"documents": len(texts), "bytes": sum(len(text.encode()) for text in texts), "tokens": 1}
    facts = {
        "name": "tiny",
        "family": "gpt_neo",
        "objective": "causal",
        "parameters": 1,
        "tokenizer": {"kind": "BPE", "vocab_size": 420, "hash": "ab"},
        "corpus": {"name": "stories", "fingerprint": "cd", "train": part, "heldout": part},
        "length": 64,
        "steps": 1,
    }
    (folder / "run.json").write_text(json.dumps(facts), "utf-8")
    return folder


def test_a_runs_evaluation_is_written_where_the_page_finds_it(run):
    outcome = evaluate_run(run)
    assert read_sealed(run / "evaluation.json", "") == outcome
    read = read_run(run)
    assert [one.measure for one in read.measures] == ["bits per byte", "held-out loss"]
    assert read.measures[0].value == outcome["measures"][0]["value"]
    assert [one.prompt for one in read.samples] == [one["prompt"] for one in outcome["samples"]]
    heldout = read.corpus.heldout
    assert read.measures[0].over.startswith(f"{heldout.documents} documents: {heldout.bytes:,} bytes")
    assert not list(run.glob(".*"))


def test_figures_on_another_text_are_refused(run, story_file):
    (run / "evaluation.json").write_text("{}")
    other = run.parent / "other.txt"
    other.write_text(story_file.read_text("utf-8")[:20000], "utf-8")
    recipe = (run / "recipe.yaml").read_text("utf-8").replace(str(story_file), str(other))
    (run / "recipe.yaml").write_text(recipe, "utf-8")
    with pytest.raises(HornbookError, match=r"its held-out part had .* bring back the old text"):
        evaluate_run(run)
    assert (run / "evaluation.json").read_text() == "{}"


class Muddled(Causal):
    """Turns each window around, and is neither measured from left to right nor writes."""

    title = "muddled"
    name: Literal["muddled"] = "muddled"
    measures = ("loss",)
    writes = None

    def batch(self, windows, vocabulary, rng):
        """Turn the text around."""
        return super().batch(windows[:, ::-1].copy(), vocabulary, rng)


def test_only_what_the_objective_declares_is_measured_and_written(make, stories):
    loaded = make("tinystories-1m", 64)
    outcome = evaluate(loaded, stories[:8], Muddled())
    [loss] = outcome["measures"]
    assert loss["measure"] == "held-out loss" and outcome["samples"] == []
    forwards = next(
        one for one in evaluate(loaded, stories[:8], Causal())["measures"] if one["unit"] == "nats/label"
    )
    assert loss["value"] != forwards["value"]
