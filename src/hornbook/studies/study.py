"""What a study is: a question, a recipe, arms that differ in one thing, and figures that judge them."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator, model_validator

from hornbook.errors import HornbookError, nearest
from hornbook.recipe import Recipe, change, make_recipe, put, read_values
from hornbook.recipe.problems import whereabouts
from hornbook.section import Section
from hornbook.studies.asked import AskedMeasure
from hornbook.studies.cluster import Cluster
from hornbook.studies.figure import Figure


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
    arms: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Each arm's own changes, by the arm's name; the others are compared with the first, unless `against` says so."""
    grid: dict[str, list[Any] | dict[str, dict[str, Any]]] = Field(default_factory=dict)
    """Makes an arm of each combination, and of each arm if there are some: a key with the values that it takes
    (`model.positions: [learned, rotary]`), or any word with named changes (`size: {small: {...}, large: {...}}`)."""
    seeds: int = Field(3, ge=2, le=10**4)
    """How many runs each arm has. Runs of the same seed read the same text in the same order, if they can."""
    seconds: float | None = Field(None, gt=0, le=10**9)
    """Seconds of training for each run, instead of training.steps; short runs measure how many steps these are."""
    tokens: int | None = Field(None, ge=1, le=10**15)
    """Tokens that each run reads, instead of training.steps: as many full steps as reach them."""
    against: dict[str, str | None] = Field(default_factory=dict)
    """The arm that an arm is compared with, where that isn't the first one; null compares it with none."""
    figures: dict[str, Figure] = Field(default_factory=dict)
    """The figures that judge the arms, the most important first; by default the loss of the recipe's own objective, if
    all arms have the same objective, tokenizer and corpus or no measures are named."""
    measures: list[AskedMeasure] = Field(default_factory=list)
    """Other measures of each run: [bits_per_byte, blimp, glue, tokens_per_second, peak_memory]."""
    data: Path | None = None
    """A folder with the files of the measures' tasks, for those that name none of their own."""
    cluster: Cluster = Cluster()
    """What each run asks Slurm for, with `--on slurm`."""

    @field_validator("measures", mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        return (
            [{"name": one} if isinstance(one, str) else one for one in given]
            if isinstance(given, list)
            else given
        )

    @field_validator("measures")
    @classmethod
    def _once(cls, measures: list[AskedMeasure]) -> list[AskedMeasure]:
        often = [name for name, count in Counter(one.name for one in measures).items() if count > 1]
        if often:
            raise ValueError(f"{often[0]} is there twice: name each measure once")
        return measures

    @model_validator(mode="after")
    def _fits(self) -> "Study":
        if self.seconds and self.tokens:
            raise ValueError("seconds and tokens both say how long a run is: leave one out")
        for key, values in self.grid.items():
            if not values:
                raise ValueError(f"grid: {key} has no values: name some, or leave it out")
        names = [arm for arm, changes in self.combinations()]
        same = [arm for arm, count in Counter(map(slug, names)).items() if count > 1]
        if len(names) < 2 or same:
            raise ValueError(f"a study needs two or more arms with names of their own, not {names}")
        for arm, other in self.against.items():
            for name in (arm, other):
                if name is not None and name not in names:
                    raise ValueError(f"against: there is no arm {name!r}{nearest(name, names)}")
            if arm == other:
                raise ValueError(f"against: {arm} is compared with itself: name another arm, or null")
        return self

    def asked(self) -> list[AskedMeasure]:
        """Return the measures, with the study's folder of files for those that name none."""
        return [
            one.model_copy(update={"data": one.data or self.data}) if one.reads_files else one
            for one in self.measures
        ]

    def compared(self) -> dict[str, str]:
        """Return the arm that each arm is compared with."""
        names = [arm for arm, _ in self.combinations()]
        pairs = {
            arm: self.against.get(arm, names[0]) for arm in names if arm in self.against or arm != names[0]
        }
        return {arm: other for arm, other in pairs.items() if other is not None}

    def combinations(self) -> list[tuple[str, dict[str, Any]]]:
        """Make the arms of the grid: each arm's name and changes, the last key's values in turn first."""
        levels = [list(self.arms.items())] if self.arms else []
        for key, values in self.grid.items():
            if isinstance(values, dict):
                levels.append(list(values.items()))
            else:
                levels.append([(_shown(value), {key: value}) for value in values])
        return [
            (
                ", ".join(name for name, _ in chosen),
                {place: value for _, one in chosen for place, value in one.items()},
            )
            for chosen in (product(*levels) if levels else [])
        ]


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def slug(arm: str) -> str:
    """Turn an arm's name into a folder's name."""
    return re.sub(r"[^\w.-]+", "-", arm)


def read_study(
    path: Path,
    settings: Iterable[str] = (),
    seeds: int | None = None,
    tokens: int | None = None,
    data: Path | None = None,
) -> "Design":
    """Read a study from YAML, or from the `answer.json` of one that was done, with settings and seeds of one's own.

    `seeds` and `tokens` replace its own, and `data` is a folder with the files of the measures' tasks.

    `a.b=c` settings come on top of its changes.
    Raises HornbookError with what is wrong with it, or with the recipe of any of its arms.
    """
    given = read_values(path, "study", "question, recipe and arms")
    name, base = path.stem, None
    if {"name", "study", "base", "settings"} <= given.keys():
        record = json.loads(path.read_text("utf-8"))  # for YAML, 1e-05 is a text
        name, base, given = record["name"], record["base"], record["study"]
        settings = [*record["settings"], *settings]
    if seeds is not None:
        given = given | {"seeds": seeds}
    if tokens is not None:
        given = given | {"tokens": tokens, "seconds": None}
    if data is not None:
        given = given | {"data": str(data)}
    try:
        study = Study.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        where = whereabouts(first["loc"], given)
        raise HornbookError(f"{path}: {where}: {first['msg'].removeprefix('Value error, ')}") from error
    if base is None:
        own = path.parent / study.recipe
        base = read_values(
            own if own.exists() else Path(study.recipe), "recipe", "sections such as corpus and model"
        )
    return Design(name, study, base, tuple(settings))


class Design:
    """A study together with its base recipe and the settings for all arms; it makes each run's recipe."""

    def __init__(self, name: str, study: Study, base: dict[str, Any], settings: tuple[str, ...]) -> None:
        self.name, self.study, self.settings, self.given = name, study, settings, base
        self.arms = dict(study.combinations())
        for place, value in study.changes.items():
            base = put(base, place, value)
        for setting in settings:
            base = change(base, setting)
        self.base = base

    def replaced(self) -> list[str]:
        """Say which arms give a section a whole new value that lacks keys of the old one: maybe more than is meant."""
        found = []
        for arm, changes in self.arms.items():
            for place, value in changes.items():
                before: Any = self.base
                for key in place.split("."):
                    before = before.get(key) if isinstance(before, dict) else None
                if isinstance(before, dict) and isinstance(value, dict) and (lost := before.keys() - value):
                    found.append(
                        f"{arm}: its {place} has no {', '.join(sorted(lost))}, which the recipe's has; to change one "
                        f"value and keep the others, write {place}.{next(iter(value), 'KEY')}: ..."
                    )
        return found

    def recipe(self, arm: str, seed: int, out: Path, **training: Any) -> Recipe:
        """Make the recipe of a run in a folder within `out`; raises HornbookError if it doesn't fit together."""
        given = self.base
        for place, value in self.arms[arm].items():
            given = put(given, place, value)
        name = f"{slug(arm)}-{seed}"
        for option, value in training.items():
            given = put(given, f"training.{option}", value)
        given = given | {"name": name, "seed": seed, "out": str(out / name)}
        return make_recipe(given, source=f"{self.name}, arm {arm!r}")

    def figures(self, recipes: Sequence[Recipe]) -> dict[str, Figure]:
        """Return the figures; without any, and with one recipe for each arm, the loss where it can be compared."""
        if self.study.figures:
            return self.study.figures
        alike = all(
            (one.objective.name, one.tokenizer, one.corpus)
            == (recipes[0].objective.name, recipes[0].tokenizer, recipes[0].corpus)
            for one in recipes
        )
        if self.study.measures and not alike:
            return {}
        return {"held-out loss": Figure(loss=recipes[0].objective)}
