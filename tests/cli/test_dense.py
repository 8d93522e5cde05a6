"""The way of a Pythia folder: add, select, train, generate, and open it with the libraries alone."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GPTNeoXForCausalLM,
)

import hornbook as hb
from hornbook.dense_tokens.folder import open_dense
from hornbook.dense_tokens.insert import insert
from hornbook.dense_tokens.selection import Selection
from hornbook.dense_tokens.vocabulary import context


@pytest.mark.long
def test_the_whole_way(pythia: Path, story_file: Path, dense: Callable[..., str], tmp_path: Path) -> None:
    added = json.loads(dense("add", pythia, "thinking", "--json"))
    before = AutoTokenizer.from_pretrained(pythia)
    assert added["id"] == len(before) and added["rows"] == 384
    text = ("--text", story_file, "--documents", "line", "--windows", 40, "--length", 24)
    chosen = json.loads(dense("select", "thinking", "chosen", *text, "--count", 3, "--json"))
    assert chosen["texts"] == 40 and chosen["texts kept"] == 20
    assert chosen["kept"] >= chosen["kept by chance"]
    trained = json.loads(
        dense(
            *("train", "thinking", "chosen", "trained", "--steps", 30, "--batch", 8, "--learning-rate", 3e-3),
            *("--emission", 1.0, "--json"),
        )
    )
    for name, figure in trained["before"].items():
        assert name == "emitted tokens a word" or trained["after"][name] < figure
    assert not list(tmp_path.glob("*.checkpoints"))
    told = json.loads(dense("delete", "trained", "chosen", "fewer", "--json"))
    assert 0 < told["deleted"] <= told["confirmed"] <= told["suspected"] < told["dense tokens"] == 60
    assert told["after"] < told["before"]
    dense("train", "trained", "fewer", "again", "--steps", 2, "--batch", 20)
    words = ("generate", "trained", "Once upon", "--tokens", 12, "--budget", 4)
    told = json.loads(dense(*words, "--think", "every", "--every", 3, "--json"))
    assert len(told["thoughts"]) == 3 and told["text"].startswith(told["thoughts"][0]["after"])
    assert "⟨" in dense(*words, "--think", "every", "--show") and "⟨" not in dense(*words)
    model, tokenizer = (
        AutoModelForCausalLM.from_pretrained("trained"),
        AutoTokenizer.from_pretrained("trained"),
    )
    assert type(model) is GPTNeoXForCausalLM and model.config.vocab_size == 384
    assert tokenizer.get_vocab() == before.get_vocab() | {"<|dense|>": added["id"]}


def test_a_dense_token_in_a_text_is_one(
    pythia: Path, stories: list[str], dense: Callable[..., str], tmp_path: Path
) -> None:
    """In a corpus its place is filled and trained on; in a prompt it is read with its vector."""
    dense("add", pythia, "thinking")
    words = [story.split() for story in stories[:60]]
    lines = [" ".join(one[:4]) + "<|dense|><|dense|> " + " ".join(one[4:]) for one in words]
    (tmp_path / "own.txt").write_text("\n".join(lines))
    text = ("--text", "own.txt", "--documents", "line", "--windows", 30, "--length", 24)
    told = json.loads(dense("select", "thinking", "chosen", *text, "--json"))
    assert told["texts kept"] == told["texts"] == 30
    kept, (model, tokenizer) = Selection.open(tmp_path / "chosen"), open_dense(tmp_path / "thinking")
    assert kept.tokens and kept.heldout_places is not None and not (kept.words == model.dense_id).any()
    joined = "".join(
        tokenizer.decode(ids[real])
        for put in [insert(kept.words, kept.places, model.dense_id)]
        for ids, real in zip(put.ids, put.real, strict=True)
    )
    assert joined.count("<|dense|>") == kept.tokens
    for found in re.findall(r"(\w+ \w+)<\|dense\|><\|dense\|>( \w+)", joined):
        assert any("<|dense|><|dense|>".join(found) in line for line in lines)
    ids = context(tokenizer, "Once upon<|dense|><|dense|> a", "<|dense|>")
    assert ids == [
        0,
        *AutoTokenizer.from_pretrained("thinking")("Once upon<|dense|><|dense|> a")["input_ids"],
    ]
    dense("train", "thinking", "chosen", "trained", "--set", "training.steps=2")
    greedy = ("--tokens", 4, "--temperature", 0, "--think", "never", "--json")
    texts = [
        json.loads(dense("generate", "trained", prompt, *greedy))["text"]
        for prompt in ("Once upon a", "Once<|dense|><|dense|><|dense|> upon a")
    ]
    assert all(texts)
    more = json.loads(dense("select", "thinking", "more", *text, "--count", 1, "--json"))
    assert more["texts kept"] == 15
    first = Selection.open(tmp_path / "more")
    assert first.tokens > 15


def test_other_special_tokens_are_told_and_the_advice_works(
    pythia: Path,
    stories: list[str],
    dense: Callable[..., str],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "packed.txt").write_text("<|endoftext|>".join(stories[:80]))
    text = ("--text", "packed.txt", "--heldout", "packed.txt", "--windows", 20, "--length", 24)

    def told(out: str, *more: str) -> str:
        caplog.clear()
        with caplog.at_level("INFO", "hornbook"):
            dense("select", pythia, out, *text, *more)
        return "\n".join(one.message for one in caplog.records if "written out" in one.message)

    said = told("first")
    assert "(158 <|endoftext|>); they are read as text" in said  # in both parts
    special, parting = (part.split("give ")[1].split() for part in said.split("; ")[2:])
    assert (special, parting) == (["--special-tokens", "special"], ["--documents", "separator"])
    assert told("second", *special).endswith("they are read as tokens") and told("third", *parting) == ""
    words = {name: Selection.open(tmp_path / name).words for name in ("first", "second", "third")}
    assert [bool((one == 0).any()) for one in words.values()] == [False, True, True]


@pytest.mark.long
def test_experiments(pythia: Path, story_file: Path, dense: Callable[..., str], tmp_path: Path) -> None:
    text = ("--text", story_file, "--documents", "line", "--windows", 24, "--length", 20, "--count", 2)
    dense("select", pythia, "chosen", *text)
    told = dense("experiments", pythia, "chosen", "--steps", 3, "--texts", 8, "--following", 6)
    found = json.loads((tmp_path / "runs/dense-experiments.json").read_text())
    single = found["one vector"]["nats"]
    assert single["optimised on its text"]["all"] < single["own"]["all"]
    before = [one["before"] for one in found["trained"].values()]
    assert before == before[:1] * 4  # each training begins with the same model
    assert len({str(one["after"]) for one in found["trained"].values()}) == 4
    assert found["deletion"]["after"] <= found["deletion"]["before"]
    assert "dense, depth 2" in told and "as many by chance" in told
    assert "leave room for 18" in dense("experiments", pythia, "chosen", "--following", 19, code=2)


def test_tasks(pythia: Path, dense: Callable[..., str], tmp_path: Path) -> None:
    row = {
        "question": {
            "stem": "Once upon",
            "choices": [{"text": "a time", "label": "A"}, {"text": "x", "label": "B"}],
        }
    }
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps(row | {"answerKey": key}) for key in "AB" * 5))
    asked = ("--task", "openbookqa", "--data", "rows.jsonl", "--count", 2)
    found = json.loads(dense("tasks", pythia, pythia, *asked, "--pause", pythia, "--pause", pythia, "--json"))
    ways = found["openbookqa"]
    assert set(ways) == {"plain", "pause", "random", "dense"}
    # Of two questions with the same answers, and other ones right, each model answers one.
    assert [ways[way]["right"]["mean"] for way in ("plain", "pause", "dense")] == [0.5] * 3
    assert ways["pause"]["dense is ahead by"]["low"] <= 0 <= ways["pause"]["dense is ahead by"]["high"]
    assert "0.0" in dense("tasks", pythia, *asked)
    further = json.loads(dense("tasks", pythia, *asked, "--detached", pythia, "--deeper", pythia, "--json"))
    arms = further["openbookqa"]
    assert list(arms) == ["plain", "pause", "random", "dense", "detached", "deeper"]
    assert (
        arms["detached"]["bits per byte of right endings"] == arms["dense"]["bits per byte of right endings"]
    )
    assert arms["deeper"]["bits per byte of right endings"] == arms["plain"]["bits per byte of right endings"]
    assert "--plain names 1 folders for 2 models" in dense(
        "tasks", pythia, pythia, *asked, "--plain", pythia, code=2
    )


def test_old_flags_are_told_with_what_to_write(
    pythia: Path, story_file: Path, dense: Callable[..., str], caplog: pytest.LogCaptureFixture
) -> None:
    dense("select", pythia, "chosen", "--text", story_file, "--documents", "line", "--windows", 8)
    figures = dense("train", pythia, "chosen", "old", "--steps", 2, "--learning-rate", 3e-3, "--json")
    (told,) = [one.message for one in caplog.records if "will go away" in one.message]
    written = told.split("write ")[1].split()
    assert told.startswith("--steps, --learning-rate will") and written[::2] == ["--set", "--set"]
    again = dense("train", pythia, "chosen", "new", *written, "--json")
    assert json.loads(again)["after"] == json.loads(figures)["after"]


@pytest.mark.long
def test_from_python(pythia: Path, stories: list[str], dense: Callable[..., str], tmp_path: Path) -> None:
    """The same functions take texts as objects and give what a notebook draws; options are refused in words."""
    assert hb.dense.add(pythia, "thinking") == json.loads(dense("add", pythia, "again", "--json")) | {
        "model": "thinking"
    }
    kept = hb.dense.select("thinking", "chosen", iter(stories), windows=20, length=24, count=2)
    assert kept.tokens == 20 and Selection.open(tmp_path / "chosen").fingerprint() == kept.fingerprint()
    figures = hb.dense.train("thinking", "chosen", "trained", steps=3, batch=8, emission=1.0)
    assert figures["after"]["dense bits per byte"] < figures["before"]["dense bits per byte"]
    assert "deleted" in hb.dense.delete("trained", "chosen", "fewer").facts
    written = hb.dense.generate("trained", "Once", think="every", every=2, tokens=6)
    asked = ("generate", "trained", "Once", "--think", "every", "--every", 2, "--tokens", 6)
    assert written.text == json.loads(dense(*asked, "--json"))["text"]
    assert f"{written}\n" == dense(*asked, "--show") and written._repr_html_().count("<mark>") == 2
    with pytest.raises(hb.HornbookError, match=r"top_p: .*less than or equal to 1, not 2"):
        hb.dense.generate("trained", top_p=2)
    with pytest.raises(hb.HornbookError, match=r"proposals: .*greater than or equal to 1, not 0"):
        hb.dense.select("thinking", "more", stories, proposals=0)
    with pytest.raises(hb.HornbookError, match=r"training\.stepps: unknown key; did you mean 'steps'"):
        hb.dense.train("thinking", "chosen", "more", stepps=3)
    assert not (tmp_path / "more").exists()


def test_mistakes_are_told(pythia: Path, dense: Callable[..., str]) -> None:
    assert "no dense.json" in dense("generate", pythia, code=2)
    assert "is there already" in dense("add", pythia, pythia, code=2)
    assert "holds no selection" in dense("train", pythia, "nowhere", "out", code=2)
    assert "no task 's7'" in dense("prove", "--task", "s7", code=2)


def test_questions(pythia: Path, dense: Callable[..., str], tmp_path: Path) -> None:
    """Each arm with each seed is trained once, judged beside the untrained model, and used again."""
    folder = tmp_path / "tasks" / "openbookqa"
    folder.mkdir(parents=True)
    choices = [{"text": "once", "label": "A"}, {"text": "the cat", "label": "B"}]
    lines = [
        json.dumps({"question": {"stem": f"A {word}", "choices": choices}, "answerKey": key})
        for word, key in [("dog", "A"), ("tree", "B"), ("king", "A"), ("fish", "B")]
    ]
    for name in ("train", "test"):
        (folder / f"{name}.jsonl").write_text("\n".join(lines))
    asked = (
        "questions",
        pythia,
        "out",
        "--set",
        "questions.data=tasks",
        "--set",
        "questions.tasks=[openbookqa]",
    )
    asked += ("--set", "questions.count=2", "--set", "seeds=1", "--set", "training.batch=4")
    found = json.loads(dense(*asked, "--set", "training.steps=3", "--json"))
    ways = found["openbookqa"]
    assert list(ways) == ["plain", "pause", "dense", "random vectors", "untrained"]
    assert json.loads((tmp_path / "out/figures.json").read_text()) == found
    bits = {way: figures["bits per byte of right endings"] for way, figures in ways.items()}
    assert max(bits["plain"], bits["pause"], bits["dense"]) < bits["untrained"]
    weights = {arm: tmp_path / f"out/{arm}-0/model.safetensors" for arm in ("plain", "pause", "dense")}
    before = {arm: file.stat().st_mtime_ns for arm, file in weights.items()}
    assert "dense ahead" in dense(*asked, "--set", "training.steps=3")
    assert {arm: file.stat().st_mtime_ns for arm, file in weights.items()} == before
    assert not list(tmp_path.glob("out/*.checkpoints"))
    assert "dense ahead" in dense("questions", pythia, "out", "--recipe", "out/recipe.yaml")
    assert "models of another recipe" in dense(*asked, "--set", "training.steps=4", code=2)
