"""Other packages add families, objectives and measures by entry points; what they don't declare is refused by name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from transformers import GPT2Config, GPT2LMHeadModel

from hornbook.errors import HornbookError
from hornbook.families import Family
from hornbook.objectives import OBJECTIVES, Batch, Causal, Objective, Vocabulary, _accept
from hornbook.objectives.vocabulary import Ids
from hornbook.registry import Registry, check_declared
from hornbook.rng import CounterRNG

Write = Callable[..., None]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Give what puts an installed package with one module and one entry point on Python's path."""

    def write(name: str, point: str, code: str = "class Thing: ...", group: str = "hornbook.things") -> None:
        folder = tmp_path / name
        folder.mkdir()
        (folder / f"{name}.py").write_text(code)
        facts = folder / f"{name}-1.0.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (facts / "entry_points.txt").write_text(f"[{group}]\n{point} = {name}:Thing\n")
        monkeypatch.syspath_prepend(folder)

    return write


def things() -> Registry[Any]:
    return Registry("hornbook.things", "thing", lambda name, found: found)


def test_another_package_adds_one(package: Write) -> None:
    package("first_plugin", "zebra")
    package("second_plugin", "ant")
    found = things()
    assert list(found) == ["ant", "zebra"] and found["ant"].__module__ == "second_plugin"
    with pytest.raises(HornbookError, match=r"no thing 'zebr'; did you mean 'zebra'\?"):
        found.find("zebr")


def test_a_name_that_two_packages_use(package: Write) -> None:
    package("third_plugin", "ant")
    package("fourth_plugin", "ant")
    with pytest.raises(HornbookError, match=r"two packages register the thing ant: .*_plugin.*uninstall one"):
        list(things())


def test_a_package_that_does_not_import(package: Write) -> None:
    package("fifth_plugin", "ant", "import something_that_is_not_there")
    with pytest.raises(
        HornbookError, match=r"thing ant of the package fifth_plugin can't be loaded \(ModuleNot"
    ):
        list(things())


def test_nothing_registered() -> None:
    with pytest.raises(HornbookError, match="no thing is registered, not even Hornbook's own"):
        list(things())


class Undeclared(Family):
    name = "undeclared"
    config_class = GPT2Config
    heads: ClassVar = {"causal": GPT2LMHeadModel}
    style = "gpt"
    kind = "bpe"


class Silent(Causal):
    """Reads from right to left, and says nothing about it."""

    name: Literal["silent"] = "silent"  # type: ignore[assignment]

    def batch(self, windows: Ids, vocabulary: Vocabulary, rng: CounterRNG) -> Batch:
        """Turn the text around."""
        return super().batch(windows[:, ::-1].copy(), vocabulary, rng)


class Reverse(Silent):
    """Reads from right to left, and says what follows from that."""

    name: Literal["reverse"] = "reverse"  # type: ignore[assignment]
    title = "reverse"
    measures = ("loss",)
    writes = None
    whole_text = True

    def batch(self, windows: Ids, vocabulary: Vocabulary, rng: CounterRNG) -> Batch:
        """Turn the text around."""
        return super().batch(windows, vocabulary, rng)


def test_what_is_not_declared_is_refused_by_name() -> None:
    wanted = (
        "title, paper, head_name, inputs, position_table, freezes_pad, matrices, arguments, presets, tiny"
    )
    with pytest.raises(
        HornbookError, match=f"family undeclared .* doesn't declare {wanted}: nothing of it is guessed"
    ):
        check_declared("family", "undeclared", Undeclared, Family)
    with pytest.raises(HornbookError, match="has to be a subclass of Objective"):
        check_declared("objective", "undeclared", Undeclared, Objective)
    with pytest.raises(HornbookError, match="the objective other calls itself 'causal'"):
        check_declared("objective", "other", Causal, Objective)


def test_everything_of_hornbooks_own_declares_all() -> None:
    for name, objective in OBJECTIVES.items():
        check_declared("objective", name, objective, Objective)
        assert objective.title and objective.paper


def test_what_another_objective_declares_is_not_inherited_by_other_batches() -> None:
    with pytest.raises(
        HornbookError, match="its own batch, and its measures, writes, whole_text from Causal"
    ):
        _accept("silent", Silent)
    assert _accept("reverse", Reverse) is Reverse
