"""The harness gets what Hornbook computes, and computes what Hornbook does; skipped where it isn't installed."""

import json
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

from hornbook.errors import HornbookError
from hornbook.evaluation.minimal_pairs import Paradigm, masked, measure_pairs
from hornbook.evaluation.minimal_pairs.encoding import Ids
from hornbook.evaluation.minimal_pairs.pair import Half, MinimalPair
from hornbook.evaluation.tasks import evaluate_tasks

installed = pytest.mark.skipif(
    not find_spec("lm_eval"), reason='lm-eval isn\'t installed: pip install "hornbook[eval]"'
)
WORDS = ("park", "house", "garden", "tree", "river", "forest", "school", "shop")
PAIRS = [
    (f"{name} went to the {one} and found a {other}.", f"{name} went a {one} the found to and {other}.")
    for name in ("Lily", "Tom", "Anna")
    for one in WORDS
    for other in WORDS[:3]
]


def rows(path: Path, *found: object) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(map(json.dumps, found)), "utf-8")


@installed
@pytest.mark.long
@pytest.mark.parametrize(("preset", "style"), [("tinystories-1m", "shared"), ("pythia-14m", "gpt")])
def test_pairs_are_judged_as_by_the_harness_with_hugging_faces_class(make, tmp_path, preset, style):
    """BLiMP's rows by `lm_eval --model hf`, paradigm by paradigm, exactly."""
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM

    loaded = make(preset, 64, "bpe", style)
    prefix = loaded.tokenizer.eos_token_id
    model = HFLM(pretrained=str(loaded.folder), device="cpu", batch_size=4, prefix_token_id=prefix)
    for number, part in enumerate((PAIRS[::2], PAIRS[1::2], PAIRS[:9])):
        rows(tmp_path / f"{number}/rows.jsonl", *({"sentence_good": a, "sentence_bad": b} for a, b in part))
        task = {
            "task": f"paradigm_{number}",
            "dataset_path": "json",
            "dataset_kwargs": {"data_files": {"train": str(tmp_path / f"{number}/rows.jsonl")}},
            "output_type": "multiple_choice",
            "validation_split": "train",
            "doc_to_text": "",
            "doc_to_target": 0,
            "doc_to_choice": "{{[sentence_good, sentence_bad]}}",
            "metric_list": [{"metric": "acc"}],
        }
        theirs = simple_evaluate(model=model, tasks=[task], bootstrap_iters=0, log_samples=False)
        pairs = [MinimalPair(Half(good), Half(bad)) for good, bad in part]
        ours = measure_pairs(loaded, "own", [Paradigm("own", pairs)]).paradigms["own"]
        assert ours.ties == 0 and ours.right == pytest.approx(
            100 * theirs["results"][f"paradigm_{number}"]["acc,none"], abs=1e-9
        )


def arc(question: str, right: str, wrong: str) -> dict[str, object]:
    return {
        "question": question,
        "choices": {"text": [right, wrong], "label": ["A", "B"]},
        "answerKey": "A",
    }


@installed
@pytest.mark.long
@pytest.mark.parametrize(
    ("preset", "kind", "style"), [("tinystories-1m", "bpe", "shared"), ("bert-tiny", "wordpiece", "bert")]
)
def test_the_harness_asks_any_model_from_local_files(make, tmp_path, preset, kind, style):
    asked = [arc(f"Where is {name}?", "in the park", "of the hat") for name in ("Lily", "Tom", "Anna")]
    for split in ("train", "validation", "test"):
        (tmp_path / "arc_easy").mkdir(exist_ok=True)
        (tmp_path / f"arc_easy/{split}.jsonl").write_text("\n".join(map(json.dumps, asked)), "utf-8")
    figures = evaluate_tasks(make(preset, 64, kind, style), ["arc_easy"], data=tmp_path)
    assert [one["measure"] for one in figures] == ["arc_easy, acc", "arc_easy, acc_norm"]
    assert figures[0]["over"] == "3 questions" and 0 <= figures[0]["value"] <= 1 and "low" in figures[0]
    with pytest.raises(HornbookError, match=r"arc_challenge: there are no .jsonl files in it"):
        evaluate_tasks(make(preset, 64, kind, style), ["arc_challenge"], data=tmp_path)


@installed
def test_an_ending_of_a_masked_model_is_scored_by_its_own_rule(make):
    from hornbook.evaluation.harness import HornbookLM, harness_model

    loaded = make("bert-tiny", 16, "wordpiece", "bert")
    model = harness_model(loaded)
    request = SimpleNamespace(args=("Lily went to", " the park."))
    ids = loaded.tokenizer("Lily went to the park.", add_special_tokens=False)["input_ids"]
    before = loaded.tokenizer("Lily went to", add_special_tokens=False)["input_ids"]
    expected = masked.scores(loaded, [Ids(tuple(ids), len(before))])[0]
    assert model.loglikelihood([request]) == [(pytest.approx(expected), False)]
    assert isinstance(HornbookLM.create_from_arg_string(f"pretrained={loaded.folder}"), type(model))
    with pytest.raises(HornbookError, match="leaves no room in a model of 16"):
        model.loglikelihood([SimpleNamespace(args=("a", " the park" * 20))])
    with pytest.raises(HornbookError, match="this task has it write"):
        model.generate_until([request])


def test_without_the_harness_it_is_said_how_to_get_it(make, monkeypatch):
    monkeypatch.setattr("hornbook.evaluation.harness_tasks.find_spec", lambda name: None)
    with pytest.raises(HornbookError, match=r'pip install "hornbook\[eval\]"'):
        evaluate_tasks(make("tinystories-1m"), ["arc_easy"])
