"""What a run is: one typed object, read from YAML and checked as a whole, every problem reported at once.

The parts that do something (corpus, tokenizer, objective) bring their own options; the rest stands here.
"""

from collections.abc import Iterable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import yaml
from pydantic import BaseModel, Field, TypeAdapter, ValidationError, field_validator, model_validator

from hornbook.corpora import Corpus
from hornbook.errors import HornbookError, nearest
from hornbook.families import PRESETS, Family, find
from hornbook.objectives import OBJECTIVES, AnyObjective, served
from hornbook.section import Section
from hornbook.tokenizers import STYLES, TokenizerOptions


class Model(Section):
    """Which model, and how long its sequences are."""

    preset: str
    """A size that people know, such as bert-tiny: see `hornbook families`."""
    length: int = Field(128, ge=2)
    """Tokens in a sequence, special tokens included."""
    positions: bool = True
    """Whether the position table learns; false leaves it at zero, and the model can't tell where a token stands."""
    config: dict[str, Any] = Field(default_factory=dict)
    """Values that differ from the preset's, in the words of the family's Hugging Face config class."""

    @field_validator("preset")
    @classmethod
    def _known(cls, preset: str) -> str:
        try:
            find(preset)
        except HornbookError as error:
            raise ValueError(str(error)) from error
        return preset

    @property
    def family(self) -> Family:
        """The family that the preset belongs to."""
        return find(self.preset)


class Phase(Section):
    """Some steps of a run with sequences of one length: BERT's 128 tokens for 90 % of the steps, then 512."""

    length: int = Field(ge=2)
    """Tokens in a sequence, special tokens included; at most model.length."""
    share: float | None = Field(None, gt=0, le=1)
    """Part of the steps, where they aren't counted; all phases' together are 1."""
    steps: int | None = Field(None, ge=1)
    """Optimizer steps, instead of a share; all phases' together are training.steps."""
    batch: int | None = Field(None, ge=1)
    """Sequences in a step; by default training.batch."""


class ResolvedPhase(NamedTuple):
    """A phase with its steps and batch worked out."""

    length: int
    steps: int
    batch: int


class Training(Section):
    """How long, how fast and how it is recorded."""

    steps: int = Field(ge=1)
    """Optimizer steps."""
    batch: int = Field(32, ge=1)
    """Sequences in a step, over all processes."""
    accumulate: int = Field(1, ge=1)
    """Parts in which each process computes its share of a step, for less memory; the gradients are the same."""
    optimizer: Literal["adamw", "adafactor", "muon"] = "adamw"
    """What takes the steps; muon is for the hidden matrices, with AdamW for all else."""
    phases: tuple[Phase, ...] = ()
    """Lengths and batches that change as training goes on; without them it is model.length and batch throughout."""
    learning_rate: float = Field(1e-3, gt=0)
    """The highest that the schedule reaches; for adafactor, in proportion to each parameter's size: 1e-2 by default."""
    schedule: Literal["linear", "cosine", "inverse-square-root", "constant"] = "cosine"
    """How the learning rate falls after the warmup."""
    warmup: int | None = Field(None, ge=0)
    """Steps in which it rises from 0; by default a twentieth of all, but 100 where these are at most a quarter."""
    floor: float = Field(0.0, ge=0, le=1)
    """Where linear and cosine end, as a share of the highest."""
    betas: tuple[float, float] = (0.9, 0.95)
    """AdamW's two averages."""
    epsilon: float = Field(1e-8, gt=0)
    """AdamW's guard against division by zero."""
    weight_decay: float = Field(0.1, ge=0)
    """AdamW's and Muon's, on matrices; biases and normalisations are left alone."""
    clip: float | None = Field(1.0, gt=0)
    """Longest gradient, over all parameters."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Number format of the matrix products; auto takes what HORNBOOK_PRECISION says, or else bf16 where
    the machine has units for it."""
    evaluate_every: int | None = Field(None, ge=1)
    """Steps between looks at the held-out loss; by default a tenth of all."""
    evaluate_windows: int = Field(256, ge=1)
    """How many held-out sequences, at most, such a look takes: always the same ones."""
    checkpoint_every: int | None = Field(None, ge=1)
    """Steps between checkpoints; by default a tenth of all."""
    keep: int = Field(2, ge=1)
    """Checkpoints that are kept, the newest; the one before the newest serves when that is torn."""
    log_every: int = Field(10, ge=1)
    """Steps between lines of the log."""
    workers: int = Field(0, ge=0)
    """Processes that make batches ahead of time; 0 makes them in between, which costs next to nothing."""
    trackers: list[str] = Field(default_factory=lambda: ["tensorboard"])
    """Accelerate's trackers, beside the log.jsonl that is always written."""

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, given: Any) -> Any:
        """Adafactor's learning rate is another quantity, and has T5's as its default."""
        if isinstance(given, dict) and given.get("optimizer") == "adafactor":
            return {"learning_rate": 1e-2} | given
        return given

    @model_validator(mode="after")
    def _fit(self) -> "Training":
        for batch in [self.batch, *(phase.batch for phase in self.phases if phase.batch)]:
            if batch < self.accumulate:
                raise ValueError(
                    f"batch {batch} can't be computed in accumulate {self.accumulate} parts: make it larger"
                )
        if self.warmup_steps >= self.steps:
            raise ValueError(
                f"warmup {self.warmup_steps} leaves nothing of steps {self.steps}: take a smaller warmup"
            )
        if self.phases:
            self._steps_of(self.phases)
        return self

    def resolve_phases(self, length: int) -> list[ResolvedPhase]:
        """Work the phases out; where there are none, it is one, of sequences of `length` tokens."""
        phases = self.phases or (Phase(length=length, steps=self.steps),)
        return [
            ResolvedPhase(phase.length, steps, phase.batch or self.batch)
            for phase, steps in zip(phases, self._steps_of(phases), strict=True)
        ]

    def _steps_of(self, phases: tuple[Phase, ...]) -> list[int]:
        """Count each phase's steps. Raises ValueError where they aren't told, or don't add up."""
        counted = [phase.steps for phase in phases if phase.steps is not None]
        shares = [phase.share for phase in phases if phase.share is not None]
        if (len(counted), len(shares)) not in ((len(phases), 0), (0, len(phases))):
            raise ValueError("phases: each needs its steps or its share, and all of them the same of the two")
        if counted:
            if sum(counted) != self.steps:
                raise ValueError(
                    f"phases: their steps add up to {sum(counted)}, and steps is {self.steps}: make them equal"
                )
            return counted
        if abs(sum(shares) - 1) > 1e-6:
            raise ValueError(f"phases: their shares add up to {sum(shares):g}, not to 1: change one of them")
        edges = [round(self.steps * sum(shares[:number])) for number in range(len(shares) + 1)]
        steps = [last - first for first, last in pairwise(edges)]
        if 0 in steps:
            raise ValueError(
                f"phases: a share of {shares[steps.index(0)]:g} is no whole step of steps {self.steps}: "
                "take a larger share, or more steps"
            )
        return steps

    @property
    def warmup_steps(self) -> int:
        """Steps of warmup, with the default worked out."""
        # A short run needs a warmup too: Adam's averages are of few gradients at first.
        return max(self.steps // 20, min(100, self.steps // 4)) if self.warmup is None else self.warmup

    def every(self, chosen: int | None) -> int:
        """Work out the default for evaluate_every and checkpoint_every."""
        return chosen or max(1, self.steps // 10)


class Recipe(Section):
    """A run, whole: the same recipe, corpus and versions give the same model on the same machine."""

    name: str = Field(pattern=r"^[\w.-]+$")
    """What the run is called in tables and on pages, and its folder's name by default."""
    seed: int = Field(0, ge=0)
    """Where all randomness comes from."""
    out: str = ""
    """The run's folder; runs/NAME by default."""
    cache: str = "runs/cache"
    """Where tokenizers and tokens are kept for other runs on the same corpus."""
    corpus: Corpus = Corpus()
    tokenizer: TokenizerOptions = TokenizerOptions()
    model: Model
    objective: AnyObjective
    training: Training

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, given: Any) -> Any:
        return _resolve(given) if isinstance(given, dict) else given

    @model_validator(mode="after")
    def _fit(self) -> "Recipe":
        problems = _misfits({name: getattr(self, name) for name in _SECTIONS})
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return Path(self.out)

    @property
    def phases(self) -> list[ResolvedPhase]:
        """What length and batch the steps have, one phase after the other; one phase where the recipe names none."""
        return self.training.resolve_phases(self.model.length)

    def to_yaml(self) -> str:
        """Write the recipe with every default resolved, so that it can be read back and run again."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def read_recipe(path: Path, settings: Iterable[str] = ()) -> Recipe:
    """Read a recipe from YAML, with `a.b=c` settings on top. Raises HornbookError with all its problems."""
    return make_recipe(read_values(path, "recipe", "sections such as corpus and model"), settings, str(path))


def read_values(path: Path, kind: str, content: str) -> dict[str, Any]:
    """Read a YAML file of a kind, which is a table of that content. Raises HornbookError where it isn't."""
    try:
        given = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise HornbookError(f"{path}: there is no such {kind}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise HornbookError(f"{path}: can't be read: {error}") from error
    except yaml.YAMLError as error:
        raise HornbookError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(given, dict):
        raise HornbookError(f"{path}: a {kind} is a table of {content}, this is {given!r:.60}")
    return given


def read_shipped(name: str) -> dict[str, Any]:
    """Read the values of a recipe that comes with Hornbook, such as "manuals-bert"."""
    package = Path(__file__).parent
    for folder in (package / "recipes", package.parents[1] / "recipes"):  # in a wheel, and in a checkout
        if (folder / f"{name}.yaml").exists():
            given: dict[str, Any] = yaml.safe_load((folder / f"{name}.yaml").read_text("utf-8"))
            return given
    raise HornbookError(f"the recipe {name} didn't come with this installation: install hornbook anew")


def make_recipe(given: dict[str, Any], settings: Iterable[str] = (), source: str = "recipe") -> Recipe:
    """Make a recipe of plain values, with `a.b=c` settings on top. Raises HornbookError with all its problems."""
    for setting in settings:
        given = change(given, setting)
    try:
        return Recipe.model_validate(given)
    except ValidationError as error:
        problems = [line for one in error.errors() for line in _explain(dict(one))]
        problems += [line for line in _misfits(_sound_sections(given)) if line not in problems]
        if len(problems) == 1:
            raise HornbookError(f"{source}: {problems[0]}") from error
        raise HornbookError(
            f"{source}: {len(problems)} problems\n" + "\n".join(f"  {line}" for line in problems)
        ) from error


def _resolve(given: dict[str, Any]) -> dict[str, Any]:
    """Let the name name the folder, an objective without options be its name, and the family choose what fits it."""
    given = dict(given)
    if isinstance(given.get("objective"), str):
        given["objective"] = {"name": given["objective"]}
    if not given.get("out"):
        given["out"] = f"runs/{given.get('name')}"
    tokenizer, model, objective = given.get("tokenizer", {}), given.get("model"), given.get("objective")
    family = PRESETS.get(str(model.get("preset"))) if isinstance(model, dict) else None
    if family and isinstance(tokenizer, dict) and not tokenizer.get("path"):
        given["tokenizer"] = {"kind": family.kind, "style": family.style} | tokenizer
    if family and isinstance(objective, dict) and (kind := OBJECTIVES.get(str(objective.get("name")))):
        given["objective"] = kind.suited(family.heads) | objective
    return given


_SECTIONS: dict[str, Any] = {
    "tokenizer": TokenizerOptions,
    "model": Model,
    "objective": AnyObjective,
    "training": Training,
}
"""The sections that have to fit each other."""


def _misfits(sections: dict[str, Any]) -> list[str]:
    """Check what needs two sections at once, as far as those that are given allow."""
    tokenizer, model, objective, training = (sections.get(name) for name in _SECTIONS)
    problems = []
    if model:
        try:
            model.family.accept(model.config)
        except HornbookError as error:
            problems.append(f"model.config: {error}")
        if not model.positions and model.family.position_table is None:
            problems.append(
                f"model.positions: {model.preset} is a {model.family.name} model, whose positions are no table that "
                "could be left out: leave this out, or take another preset"
            )
    if model and objective:
        values = {**model.family.presets[model.preset].values, **model.config}
        a_model = f"{model.preset} is a {model.family.name} model, which"
        if (why := type(objective).refusal(model.family, values)) is not None:
            problems.append(
                f"objective.name: {a_model} can't serve {objective.name}{f' ({why})' if why else ''}: choose "
                f"{' or '.join(served(model.family, values))}, or another preset"
            )
        elif model.family.refusal(objective.head, values) is not None:
            problems.append(f"objective.form: {a_model} has no {objective.form} form: leave it out")
    if model and training:
        problems += [
            f"training.phases.{number}.length: {phase.length} is longer than model.length {model.length}: "
            "make that as long as the longest phase"
            for number, phase in enumerate(training.phases)
            if phase.length > model.length
        ]
    if tokenizer and tokenizer.style and tokenizer.style not in STYLES:
        problems.append(
            f"tokenizer.style: there is no {tokenizer.style!r}{nearest(tokenizer.style, list(STYLES))}"
        )
    return problems


def _sound_sections(given: dict[str, Any]) -> dict[str, Any]:
    """Take those sections that are right by themselves, so that their misfits are told with the other problems."""
    given, sound = _resolve(given), {}
    for name, section in _SECTIONS.items():
        with suppress(ValidationError):
            sound[name] = TypeAdapter(section).validate_python(given.get(name))
    return sound


def change(given: dict[str, Any], setting: str) -> dict[str, Any]:
    """Lay one `a.b=c` over plain values, c read as YAML; the original stays as it is."""
    path, equals, value = setting.partition("=")
    if not equals or not all(path.split(".")):
        raise HornbookError(
            f"--set {setting}: write it as section.key=value, such as --set training.steps=200"
        )
    try:
        return put(given, path, yaml.safe_load(value))
    except yaml.YAMLError as error:
        raise HornbookError(f"--set {setting}: the value is not YAML: put it in quotes") from error


def put(given: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Lay a value over plain values at the place `a.b`; the original stays as it is."""
    first, _, rest = path.partition(".")
    if not rest:
        return {**given, first: value}
    inner = given.get(first)
    if first == "objective" and isinstance(inner, str):
        inner = {"name": inner}
    return {**given, first: put(inner if isinstance(inner, dict) else {}, rest, value)}


def _explain(error: dict[str, Any]) -> list[str]:
    """Put one of pydantic's errors in words: where, what was found, what would do."""
    place = [str(part) for part in error["loc"] if part not in OBJECTIVES]
    where = ".".join(place)
    if error["type"] == "extra_forbidden":
        return [f"{where}: unknown key{nearest(place[-1], _keys(place[:-1], error['loc']))}"]
    if error["type"] == "missing":
        return [f"{where}: is missing"]
    if error["type"].startswith("union_tag"):
        found = error["input"].get("name") if isinstance(error["input"], dict) else error["input"]
        return [f"{where}.name: there is no objective {found!r}{nearest(str(found), list(OBJECTIVES))}"]
    if error["type"] == "value_error":
        prefix = f"{where}: " if where else ""
        return [prefix + line for line in str(error["ctx"]["error"]).split("\n")]
    return [f"{where}: {error['msg'][0].lower()}{error['msg'][1:]}, not {error['input']!r:.60}"]


def _keys(place: list[str], loc: tuple[Any, ...]) -> list[str]:
    """List the keys that are known at a place of a recipe."""
    section: type[BaseModel] = Recipe
    for part in place:
        if part == "objective":
            section = OBJECTIVES[loc[1]]
        elif part in section.model_fields:  # else it is a number in a list
            section = _section_in(section.model_fields[part].annotation) or section
    return list(section.model_fields)


def _section_in(annotation: Any) -> type[BaseModel] | None:
    """Find the section that an annotation such as `tuple[Phase, ...] | None` is about."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_section_in, get_args(annotation))), None)
