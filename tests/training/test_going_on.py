"""A run that goes on under other conditions says that its bits are others from there on."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from hornbook import threads
from hornbook.recipe import Recipe
from hornbook.reporter import Reporter
from hornbook.training import bits
from hornbook.training.loop import Loop
from hornbook.training.train import start
from tests.training.launching import SMALL


class Listener(Reporter):
    """Keeps what is said."""

    def __init__(self) -> None:
        super().__init__(silent=True)
        self.said: list[str] = []
        self.warned: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def warn(self, text: str) -> None:
        self.warned.append(text)


@pytest.fixture
def stopped(recipe_of: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch) -> Iterator[Recipe]:
    """A run of one thread that was cut off after two of its four steps."""
    recipe = recipe_of(SMALL, "causal", steps=4, checkpoint_every=1)
    before = torch.get_num_threads()
    monkeypatch.setenv("HORNBOOK_THREADS", "1")
    takes = Loop._step

    def cut_off(loop: Loop, step: int, parts: Any) -> dict[str, float]:
        if step == 2:
            raise KeyboardInterrupt
        return takes(loop, step, parts)

    with monkeypatch.context() as once:
        once.setattr(Loop, "_step", cut_off)
        with pytest.raises(KeyboardInterrupt):
            start(recipe, Reporter(silent=True)).train()
    yield recipe
    torch.set_num_threads(before)


def go_on(recipe: Recipe) -> Listener:
    heard = Listener()
    assert start(recipe, heard).progress.step == 2
    heard.warned = [one for one in heard.warned if "vocab_size" not in one]  # the text is short
    return heard


def test_it_says_so_and_names_both_values(stopped: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    assert go_on(stopped).warned == []
    monkeypatch.setenv("HORNBOOK_THREADS", "2")
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX9")
    known = bits.version
    monkeypatch.setattr(bits, "version", lambda name: "99.0" if name == "torch" else known(name))
    began = json.loads((stopped.folder / "run.json").read_text("utf-8"))["began_with"]
    for _ in range(2):  # what it began with isn't forgotten
        heard = go_on(stopped)
        [warning] = heard.warned
        assert "threads was 1 and is now 2" in warning
        assert f"instruction set was {began['instruction set']} and is now AVX9" in warning
        assert f"torch release was {began['torch release']} and is now 99.0" in warning
        assert "not the same run bit for bit" in warning
        assert "threads: 2, because HORNBOOK_THREADS is 2" in heard.said[-1]
    facts = json.loads((stopped.folder / "run.json").read_text("utf-8"))
    assert facts["began_with"] == began and facts["machine"]["threads"] == 2
    monkeypatch.undo()
    monkeypatch.setenv("HORNBOOK_THREADS", "1")
    assert go_on(stopped).warned == []


def test_a_run_of_an_older_hornbook_is_compared_as_far_as_it_says(
    stopped: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = stopped.folder / "run.json"
    facts = json.loads(path.read_text("utf-8"))
    del facts["began_with"], facts["machine"]["choices"], facts["sha256"]
    path.write_text(json.dumps(facts), "utf-8")
    monkeypatch.setenv("HORNBOOK_THREADS", "2")
    [warning] = go_on(stopped).warned
    assert "conditions: threads was 1 and is now 2." in warning


def test_on_a_shared_machine_a_run_takes_the_free_cores_and_keeps_their_number(
    recipe_of: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that waits for one which isn't running costs most of the time; other threads are other bits."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delenv("HORNBOOK_THREADS", raising=False)
    for module in ("threads", "training.train"):
        monkeypatch.setattr(f"hornbook.{module}.cores", lambda: 3)
    before, busy = torch.get_num_threads(), [1.0]
    monkeypatch.setattr(threads, "busy_cores", lambda seconds: busy[0])
    recipe = recipe_of(SMALL, "causal", steps=2, checkpoint_every=1)
    try:
        torch.set_num_threads(3)
        heard = Listener()
        start(recipe, heard).train()
        assert "threads: 2, because 2.0 of 3 cores are free" in heard.said
        chosen = json.loads((recipe.folder / "run.json").read_text("utf-8"))["machine"]["choices"]["threads"]
        assert chosen == {"chosen": "2", "why": "2.0 of 3 cores are free"}

        torch.set_num_threads(3)  # another process
        busy[0] = 0.0
        longer = recipe.model_copy(update={"training": recipe.training.model_copy(update={"steps": 4})})
        heard = Listener()
        start(longer, heard)
        assert "threads: 2, because this run began with 2" in heard.said
        assert not [one for one in heard.warned if "threads" in one]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
        threads._ours.clear()
