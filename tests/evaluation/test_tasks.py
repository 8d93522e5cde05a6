"""Tasks are kept in the run's folder, each in a file of its own, and compare where they asked the same."""

import json
import sys
from pathlib import Path

import pytest

from hornbook.cli import main
from hornbook.errors import HornbookError
from hornbook.evaluation.asked import evaluate
from hornbook.evaluation.tasks import evaluate_tasks
from hornbook.finetuning.groups import GROUPS
from hornbook.loading import load_model
from hornbook.report import compare_table, read_run

ROWS = [
    {"good": "Once upon a time there was a cat.", "bad": "Once upon a time there were a cat."},
    {"good": "Lily went to the park.", "bad": "Lily the park went to."},
]


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    path = tmp_path / "mine.jsonl"
    path.write_text("\n".join(map(json.dumps, ROWS)), "utf-8")
    return path


def record(folder: Path, name: str) -> Path:
    """Make a model's folder a run's."""
    part = {"documents": 1, "bytes": 1, "tokens": 1}
    facts = {
        "name": name,
        "family": "a",
        "objective": name,
        "parameters": 1,
        "tokenizer": {"kind": "BPE", "vocab_size": 420, "hash": name},
        "corpus": {"name": "stories", "fingerprint": "cd", "train": part, "heldout": part},
        "length": 64,
        "steps": 1,
    }
    (folder / "run.json").write_text(json.dumps(facts), "utf-8")
    return folder


def test_a_masked_and_a_causal_model_share_the_column_of_the_same_pairs(save, tmp_path, pairs):
    runs = {}
    for preset, kind, style in (("tinystories-1m", "bpe", "shared"), ("bert-tiny", "wordpiece", "bert")):
        runs[preset] = record(save(tmp_path / preset, preset, 64, kind, style), preset)
        (figure,) = evaluate_tasks(load_model(runs[preset]), pairs=[pairs], run=runs[preset])
        assert figure["measure"] == "mine" and figure["unit"] == "% right" and figure["over"] == "2 pairs"
        assert figure["low"] < figure["value"] < figure["high"] or figure["value"] in (0, 100)
    evaluate_tasks(load_model(runs["tinystories-1m"]), pairs=[pairs], limit=1, run=runs["tinystories-1m"])
    evaluate_tasks(
        load_model(runs["bert-tiny"]), pairs=[pairs], rule="pseudo-likelihood", run=runs["bert-tiny"]
    )
    files = sorted(path.name for path in (runs["tinystories-1m"] / "tasks").iterdir())
    assert files == ["pairs-mine-first-1.json", "pairs-mine.json"]
    rows = compare_table([read_run(folder) for folder in runs.values()])
    whole = next(name for name in rows[0] if name.startswith("mine (% right; mine: 2 pairs"))
    assert None not in (rows[0][whole], rows[1][whole])
    assert {rows[1][name] for name in rows[1] if "mine: 1 pairs" in name} == {None}
    assert any(name.startswith("mine by pseudo-likelihood") for name in rows[0])


def test_what_is_read_before_a_text_is_told(make, pairs):
    loaded = make("tinystories-1m")
    (figure,) = evaluate_tasks(loaded, pairs=[pairs])
    assert "read alone, after </s> (id 2); the half" in figure["rule"] and "Ties: 0." in figure["rule"]
    (figure,) = evaluate_tasks(loaded, pairs=[pairs], rule="lm-eval")
    assert figure["measure"] == "mine by lm-eval" and "after <s> (id 1) and a space" in figure["rule"]
    assert "no document begins after it, but after </s> (id 2)" in figure["rule"]
    (figure,) = evaluate_tasks(make("pythia-14m", 64, "bpe", "gpt"), pairs=[pairs], rule="lm-eval")
    assert "after <|endoftext|> (id 0) and a space" in figure["rule"] and "Beware" not in figure["rule"]


def test_names_are_checked_before_anything_is_asked(make, pairs):
    loaded = make("tinystories-1m")
    with pytest.raises(HornbookError, match=r"there is no task 'blim'.*did you mean '?blimp"):
        evaluate_tasks(loaded, ["blim"])
    with pytest.raises(HornbookError, match="is for minimal pairs, and gsm8k has questions"):
        evaluate_tasks(loaded, ["gsm8k"], rule="within-word")
    with pytest.raises(HornbookError, match="--dense 4 is for questions, and blimp has pairs"):
        evaluate_tasks(loaded, ["blimp"], dense=4)
    with pytest.raises(HornbookError, match="--dense 4 is for questions, and --pairs has pairs"):
        evaluate_tasks(loaded, pairs=[pairs], dense=4)


def test_weights_that_are_no_numbers(make, pairs):
    for preset, kind, style in (("tinystories-1m", "bpe", "shared"), ("bert-tiny", "wordpiece", "bert")):
        loaded = make(preset, 64, kind, style)
        next(loaded.model.parameters()).data.fill_(float("nan"))
        with pytest.raises(HornbookError, match="no finite likelihood to 2 of 2 pairs: its weights hold NaN"):
            evaluate_tasks(loaded, pairs=[pairs])


def test_halves_that_the_tokenizer_makes_one(make, tmp_path, pairs):
    loaded = make("bert-tiny", 64, "wordpiece", "bert")
    case = tmp_path / "spaces.jsonl"
    case.write_text(json.dumps({"good": "Lily  went to the park.", "bad": "Lily went to the park."}), "utf-8")
    with pytest.raises(HornbookError, match="turns both halves of all 1 pairs into the same ids"):
        evaluate_tasks(loaded, pairs=[case])
    case.write_text(case.read_text() + "\n" + pairs.read_text(), "utf-8")
    (figure,) = evaluate_tasks(loaded, pairs=[case])
    assert (
        "Ties: 1 (each half right; lm-evaluation-harness counts them as right); in 1, both" in figure["rule"]
    )


def test_texts_that_are_longer_than_the_model(make, tmp_path, pairs):
    loaded = make("tinystories-1m", 16)
    long = tmp_path / "long.jsonl"
    long.write_text(
        json.dumps({"good": "Lily went to the park. " * 9, "bad": "Lily the park. " * 9}), "utf-8"
    )
    with pytest.raises(HornbookError, match=r"all 1 pairs are longer than .*, which takes 16 tokens"):
        evaluate_tasks(loaded, pairs=[long])
    long.write_text(long.read_text() + "\n" + pairs.read_text().splitlines()[1], "utf-8")
    (figure,) = evaluate_tasks(loaded, pairs=[long])
    assert (
        figure["over"] == "1 pairs" and "Left out as longer than the model's 16 tokens: 1." in figure["rule"]
    )


def test_several_tasks_after_one_option(save, tmp_path, monkeypatch, capsys):
    folder = record(save(tmp_path / "run", "tinystories-1m"), "run")
    data = tmp_path / "data"
    for name in ("blimp", "supplement"):
        (data / name).mkdir(parents=True)
        row = {"sentence_good": "A cat was there.", "sentence_bad": "A cat were there."}
        row |= {"UID": "agreement", "field": "syntax", "linguistics_term": "island_effects"}
        (data / name / "some.jsonl").write_text(json.dumps(row), "utf-8")
    command = ["evaluate", str(folder), "--data", str(data), "--task", "blimp", "blimp_supplement", "--json"]
    monkeypatch.setattr(sys, "argv", ["hornbook", *command])
    with pytest.raises(SystemExit) as stop:
        main()
    assert not stop.value.code
    told = json.loads(capsys.readouterr().out)["measures"]
    assert [one["measure"] for one in told] == ["BLiMP", "BLiMP supplement"]
    assert json.loads((folder / "tasks/blimp.json").read_text())["paradigms"]["agreement"]["pairs"] == 1


@pytest.mark.parametrize("name", ["glue", "superglue", "babylm"])
def test_what_is_learned_is_not_asked(tmp_path, monkeypatch, capsys, name):
    monkeypatch.setattr(sys, "argv", ["hornbook", "evaluate", str(tmp_path), "--task", name])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert f"use `hornbook finetune {tmp_path} --task {name}`" in " ".join(capsys.readouterr().err.split())
    assert name in GROUPS
    with pytest.raises(HornbookError, match=f"{name} is learned, not asked: use `hornbook finetune"):
        evaluate(tmp_path, task=name)
