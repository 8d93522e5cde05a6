"""A whole trial: steps by hand, figures by loops, what was cut off goes on, and folders aren't mixed."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

import hornbook as hb
from hornbook.dense_tokens.folder import open_dense, wrap_folder
from hornbook.dense_tokens.measure import window_nats
from hornbook.dense_tokens.selection import Selection
from hornbook.reporter import Reporter
from hornbook.training.tried import TriedText

TEXT: dict[str, Any] = {"documents": "line", "length": 16, "windows": 30, "heldout_windows": 8}
TRAINING: dict[str, Any] = {"steps": 6, "batch": 4, "learning_rate": 3e-3}
ARMS = ["dense", "pause", "plain", "plain, same steps"]


class Killed(Exception):
    """What ends a training in the middle."""


class Stopping(Reporter):
    """Stops in a training's step."""

    def __init__(self, title: str, at: int) -> None:
        super().__init__()
        self.title, self.at = title, at

    @contextmanager
    def steps(self, title: str, first: int, last: int) -> Iterator[Callable[[int, str], None]]:
        """Report nothing."""

        def reach(step: int, figures: str) -> None:
            if (title, step) == (self.title, self.at):
                raise Killed

        yield reach


@pytest.fixture
def tried(pythia: Path, story_file: Path, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Try dense tokens on the stories, with one seed unless told otherwise."""

    def run(out: str = "out", **given: Any) -> dict[str, Any]:
        values = {"seeds": 1, **TEXT, **TRAINING, **given}
        return hb.dense.try_out(pythia, story_file, tmp_path / out, **values)

    return run


@pytest.mark.long
def test_a_trial(tried: Callable[..., dict[str, Any]], pythia: Path, tmp_path: Path) -> None:
    found = tried(seeds=2)
    assert list(found["arms"]) == ARMS
    # 16 words and 4 dense tokens, computed twice; 4 texts in a step.
    steps, places = ({arm: of[key] for arm, of in found["arms"].items()} for key in ("steps", "places"))
    assert list(steps.values()) == [6, 12, 15, 6]
    assert list(places.values()) == [6 * 160, 12 * 80, 15 * 64, 6 * 64]
    kept, saved = Selection.open(tmp_path / "out/selection"), tmp_path / "out"
    # What stands before training is what the class itself says of the words.
    anyones = AutoModelForCausalLM.from_pretrained(pythia)
    dense_id = wrap_folder(pythia)[0].dense_id
    with torch.no_grad():
        logits = anyones(torch.from_numpy(kept.heldout.astype(np.int64))).logits[:, :-1].double()
    logits[..., dense_id] = -torch.inf
    targets = torch.from_numpy(kept.heldout[:, 1:].astype(np.int64))
    nats = -logits.log_softmax(-1).gather(-1, targets[..., None])
    for arm in ("plain", "plain-same-steps"):
        looks = json.loads((saved / f"{arm}-1.json").read_text())["looks"]
        assert looks["0"] == pytest.approx(float(nats.mean()), abs=1e-4)
    # The dense model that was kept reads as the figures say, and the words' figures sum to the windows'.
    model, _ = open_dense(saved / "dense-1")
    assert model.options.trained_rounds == 1
    sums = np.array([sum(one) for one in json.loads((saved / "dense-1.json").read_text())["nats"]])
    np.testing.assert_allclose(
        window_nats(model, kept.heldout.astype(np.int64), TriedText(kept).places, "dense"), sums, atol=1e-3
    )
    assert found["arms"]["dense"]["by_seed"][1] == pytest.approx(sums.mean() / 15)
    assert found["curves"]["dense"][-1]["places"] == 6 * 160
    # It was looked at six times on the way, at last with the same 8 windows that the figures are of.
    for arm, of in found["arms"].items():
        looks = json.loads((saved / f"{arm.replace(', ', '-').replace(' ', '-')}-0.json").read_text())[
            "looks"
        ]
        assert [int(step) for step in looks] == [round(of["steps"] * number / 6) for number in range(7)]
        assert looks[str(of["steps"])] == pytest.approx(of["by_seed"][0], abs=1e-5)
    shown = [*found["examples"]["helped"], *found["examples"]["hurt"]]
    assert shown
    for one in shown:
        parts = [piece["dense"] - piece["plain"] for piece in one["pieces"] if piece["dense"] is not None]
        assert sum(parts) / 15 == pytest.approx(one["gap"], abs=1e-4)
    assert json.loads((saved / "figures.json").read_text())["sentences"] == found["sentences"]
    assert Path(found["page"]) == saved / "page.html"
    # All of a seed begin alike and learn: other seeds read in another order.
    before = found["curves"]["plain"][0]
    assert before["low"] == before["high"] > found["arms"]["plain, same steps"]["nats"]["high"]
    assert len(set(found["arms"]["plain"]["by_seed"])) == 2


@pytest.mark.long
@pytest.mark.parametrize(("title", "at"), [("Training, pause, seed 0", 7), ("Training, dense, seed 0", 6)])
def test_what_was_cut_off_goes_on(
    title: str, at: int, tried: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    with pytest.raises(Killed):
        tried(report=Stopping(title, at))
    finished = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*-0.json")}
    assert (tmp_path / "out/selection").exists() and len(finished) == ("pause" in title)
    again = tried()
    assert {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in finished} == finished
    whole = tried("whole")
    for name in ("page", "model"):
        assert again.pop(name) and whole.pop(name)
    assert again == whole
    assert not [
        path for path in (tmp_path / "out").iterdir() if path.name.endswith((".checkpoints", ".looks.json"))
    ]


@pytest.mark.long
def test_a_kill_before_the_first_training(
    tried: Callable[..., dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is known as a trial's before anything else is in it."""
    with monkeypatch.context() as patched:

        def kill(*_: object) -> None:
            raise Killed

        patched.setattr(Selection, "save", kill)
        with pytest.raises(Killed):
            tried()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["try.json"]
    assert tried()["seeds"] == 1


@pytest.mark.long
def test_more_seeds_and_other_recipes(tried: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    first = tried()
    times = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*-0.json")}
    assert len(times) == 4 and len(first["sentences"]) == 3
    second = tried(seeds=2)
    assert {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in times} == times
    assert second["arms"]["plain"]["by_seed"][:1] == first["arms"]["plain"]["by_seed"]
    with pytest.raises(
        hb.HornbookError, match="length 16, not length 12: give those, or another folder with --out"
    ):
        tried(length=12)
    with pytest.raises(hb.HornbookError, match=r"with training\.steps 6, not training\.steps 7: give those"):
        tried(steps=7)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("my own")
    with pytest.raises(hb.HornbookError, match="is there already, and holds no such trainings"):
        tried("mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]


@pytest.mark.long
def test_texts_of_a_program(pythia: Path, stories: list[str], tmp_path: Path) -> None:
    """The same texts are known again; others are refused."""
    given: dict[str, Any] = {"seeds": 1, **TEXT, **TRAINING}
    first = hb.dense.try_out(pythia, iter(stories), tmp_path / "out", **given)
    assert hb.dense.try_out(pythia, iter(stories), tmp_path / "out", **given) == first
    with pytest.raises(hb.HornbookError, match="holds trainings with"):
        hb.dense.try_out(pythia, iter(stories[1:]), tmp_path / "out", **given)


@pytest.mark.long
def test_questions(pythia: Path, tmp_path: Path) -> None:
    rows = [{"question": f"What is {a} and {b}?", "answer": f"{a + b}"} for a in range(5) for b in range(4)]
    (tmp_path / "mine.jsonl").write_text("\n".join(map(json.dumps, rows)))
    given: dict[str, Any] = {"questions": True, "count": 3, "seeds": 1}
    found = hb.dense.try_out(pythia, tmp_path / "mine.jsonl", tmp_path / "out", **given, **TRAINING)
    assert found["texts"] == 4 and found["learned"] == 16 and found["rounds"] is None
    assert found["sentences"][0].startswith("On these questions dense tokens")
    arms = found["arms"]
    assert arms["pause"]["steps"] == 6  # one by one, each place is computed once
    assert arms["plain"]["steps"] == round(arms["dense"]["places"] / arms["plain, same steps"]["places"] * 6)
    assert all(0 <= of["right"]["mean"] <= 1 for of in arms.values())
    assert open_dense(tmp_path / "out/dense-0")[0].options.trained_rounds == "one by one"
