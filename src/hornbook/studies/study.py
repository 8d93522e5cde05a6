"""What a study is: a question, a recipe, arms that differ in one thing, and figures that judge them."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator, model_validator

from hornbook.errors import HornbookError
from hornbook.objectives import OBJECTIVES, AnyObjective, Objective
from hornbook.objectives.pairs import Pairs
from hornbook.recipe import Recipe, change, make_recipe, put, read_values
from hornbook.section import Section


class Figure(Section):
    """A figure that judges every arm on the same held-out text and places, whatever the arm's own objective."""

    loss: AnyObjective | None = None
    """The held-out loss of this objective, in nats a label."""
    words: AnyObjective | None = None
    """An objective that cuts spans out of a text, for a text-to-text model: the figure is the loss on the first word of
    each span, where only words are possible."""
    probe: AnyObjective | None = None
    """The share of this objective's pairs that a linear probe of the model's hidden states judges rightly."""

    @field_validator("loss", "words", "probe", mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        return {"name": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _one(self) -> "Figure":
        if sum(one is not None for one in (self.loss, self.words, self.probe)) != 1:
            raise ValueError("a figure is one of loss, words and probe: name an objective for one of them")
        if self.words is not None and not (self.words.cuts_spans and self.words.head == "seq2seq"):
            cutting = _named_where(lambda kind: kind.cuts_spans)
            raise ValueError(f"{self.words.name} cuts out no spans for a text-to-text model: take {cutting}")
        if self.probe is not None and not isinstance(self.probe, Pairs):
            over_pairs = _named_where(lambda kind: issubclass(kind, Pairs))
            raise ValueError(f"{self.probe.name} has no pairs to probe for: take {over_pairs}")
        return self

    @property
    def objective(self) -> AnyObjective:
        """The objective that makes the figure's batches."""
        objective = self.loss or self.words or self.probe
        assert objective is not None
        return objective

    @property
    def unit(self) -> str:
        """The unit of the values."""
        return "nats/label" if self.lower else "share of pairs"

    @property
    def lower(self) -> bool:
        """Whether lower values are better."""
        return self.probe is None


def _named_where(fits: Callable[[type[Objective]], bool]) -> str:
    """Name the objectives that fit."""
    return " or ".join(name for name, kind in OBJECTIVES.items() if fits(kind))


class Study(Section):
    """Everything that a study's answer depends on."""

    question: str
    """The question that the study answers."""
    about: str = ""
    """What a reader of the answer should know."""
    recipe: str
    """The recipe that all arms begin with: a file's path, relative to the study's own file, or the name of one that
    comes with Hornbook."""
    changes: dict[str, Any] = Field(default_factory=dict)
    """Changes of that recipe for all arms, by key: `training.steps: 400`."""
    arms: dict[str, dict[str, Any]]
    """Each arm's own changes, by the arm's name; the others are compared with the first."""
    seeds: int = Field(3, ge=2)
    """How many runs each arm has. Runs of the same seed read the same text in the same order, if they can."""
    seconds: float | None = Field(None, gt=0)
    """Seconds of training for each run, instead of training.steps; short runs measure how many steps these are."""
    figures: dict[str, Figure] = Field(default_factory=dict)
    """The figures that judge the arms, the most important first; by default the loss of the recipe's own objective."""

    @field_validator("arms")
    @classmethod
    def _several(cls, arms: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        if len(arms) < 2 or len({slug(arm) for arm in arms}) < len(arms):
            raise ValueError(f"a study needs two or more arms with names of their own, not {list(arms)}")
        return arms


def slug(arm: str) -> str:
    """Turn an arm's name into a folder's name."""
    return re.sub(r"[^\w.-]+", "-", arm)


def read_study(path: Path, settings: Iterable[str] = (), seeds: int | None = None) -> "Design":
    """Read a study from YAML, with `a.b=c` settings on top of its changes, and more or fewer seeds.

    Raises HornbookError with what is wrong with it, or with the recipe of any of its arms.
    """
    given = read_values(path, "study", "question, recipe and arms")
    if seeds is not None:
        given = given | {"seeds": seeds}
    try:
        study = Study.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise HornbookError(f"{path}: {where}: {first['msg'].removeprefix('Value error, ')}") from error
    own = path.parent / study.recipe
    base = read_values(
        own if own.exists() else Path(study.recipe), "recipe", "sections such as corpus and model"
    )
    return Design(path.stem, study, base, tuple(settings))


class Design:
    """A study together with its base recipe and the settings for all arms; it makes each run's recipe."""

    def __init__(self, name: str, study: Study, base: dict[str, Any], settings: tuple[str, ...]) -> None:
        self.name, self.study, self.settings = name, study, settings
        for place, value in study.changes.items():
            base = put(base, place, value)
        for setting in settings:
            base = change(base, setting)
        self.base = base

    def recipe(self, arm: str, seed: int, out: Path, **training: Any) -> Recipe:
        """Make the recipe of a run in a folder within `out`; raises HornbookError if it doesn't fit together."""
        given = self.base
        for place, value in self.study.arms[arm].items():
            given = put(given, place, value)
        name = f"{slug(arm)}-{seed}"
        for option, value in training.items():
            given = put(given, f"training.{option}", value)
        given = given | {"name": name, "seed": seed, "out": str(out / name)}
        return make_recipe(given, source=f"{self.name}, arm {arm!r}")

    def figures(self, recipe: Recipe) -> dict[str, Figure]:
        """Return the figures, or the default one."""
        return self.study.figures or {"held-out loss": Figure(loss=recipe.objective)}
