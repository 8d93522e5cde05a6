"""Other packages add families, objectives and measures by entry points; what they don't declare is refused by name."""

from collections.abc import Callable
from typing import Any, ClassVar, Literal

import pytest
from transformers import GPT2Config, GPT2LMHeadModel

from hornbook import families
from hornbook.errors import HornbookError
from hornbook.families import Family, find
from hornbook.objectives import OBJECTIVES, Batch, Objective, Vocabulary, _accept
from hornbook.objectives.causal import Causal
from hornbook.objectives.masked import Masked
from hornbook.objectives.vocabulary import Ids
from hornbook.registry import Registry, check_declared
from hornbook.rng import CounterRNG
from hornbook.tokenizers import STYLES, Style

Write = Callable[..., None]


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
    natural = frozenset[str]()
    measures = ("bits_per_byte", "loss")
    writes = None
    whole_text = True
    reading = "right to left"
    lesson = "The model reads a text from its end and learns to predict each token from those after it."

    def batch(self, windows: Ids, vocabulary: Vocabulary, rng: CounterRNG) -> Batch:
        """Turn the text around."""
        return super().batch(windows, vocabulary, rng)


def test_what_is_not_declared_is_refused_by_name() -> None:
    wanted = (
        "title, paper, head_name, inputs, position_table, position_schemes, counts_from_pad, freezes_pad, "
        "obeys_is_decoder, types_as_words, matrices, arguments, presets, tiny"
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
        assert objective.lesson.endswith(".") and objective.lesson.count(". ") <= 1


def test_what_another_objective_declares_is_not_inherited_by_other_batches() -> None:
    with pytest.raises(
        HornbookError,
        match="its own batch, but inherits natural, measures, writes, whole_text, reading, lesson from Causal",
    ):
        _accept("silent", Silent)
    assert _accept("reverse", Reverse) is Reverse


class Bracketed(find("gpt2").__class__):  # type: ignore[misc]
    """Its tokenizers have special tokens that no family of Hornbook's own has."""

    name = "bracketed"
    style = "brackets"
    styles: ClassVar = {"brackets": Style(("[END]", "[FILL]"), {"eos_token": "[END]", "pad_token": "[FILL]"})}
    presets: ClassVar = {"bracketed": find("gpt2").presets["gpt2"]}


def test_a_family_brings_its_style(monkeypatch: pytest.MonkeyPatch) -> None:
    known = dict(STYLES)
    monkeypatch.setattr(families, "STYLES", known)
    with pytest.raises(
        HornbookError, match=r"has the style 'brackets', which nothing declares: .* Bracketed.styles"
    ):
        families._accept("bracketed", type("Bracketed", (Bracketed,), {"styles": {}}))
    made = families._accept("bracketed", Bracketed)
    assert known["brackets"] == made.styles["brackets"] and known.keys() - STYLES.keys() == {"brackets"}
    with pytest.raises(HornbookError, match="brings a style gpt, and there is another one of that name"):
        families._accept(
            "bracketed", type("Other", (Bracketed,), {"styles": {"gpt": made.styles["brackets"]}})
        )


def test_an_objective_that_cannot_write_in_its_direction() -> None:
    class Writing(Reverse):
        name: Literal["writing"] = "writing"  # type: ignore[assignment]
        writes = "generate"

    with pytest.raises(
        HornbookError, match="writing reads right to left, but writes 'generate', which reads left to right"
    ):
        _accept("writing", Writing)


def test_what_is_shown_has_to_follow_what_is_learned() -> None:
    """Masked shows its own batches: a class with other ones would show what it doesn't learn."""

    class Thing(Masked):
        name: Literal["thing"] = "thing"  # type: ignore[assignment]
        natural: ClassVar = frozenset[str]()
        measures: ClassVar = ("loss",)
        writes: ClassVar = None
        whole_text: ClassVar = False
        reading: ClassVar = "both ways"
        lesson: ClassVar = "A lesson."

        def batch(self, windows: Ids, vocabulary: Vocabulary, rng: CounterRNG) -> Batch:
            return super().batch(windows[:, ::-1], vocabulary, rng)

    with pytest.raises(HornbookError, match="inherits example from Masked"):
        _accept("thing", Thing)
