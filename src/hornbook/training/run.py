"""A run's folder, and everything that a recipe is made into before the first step."""

import json
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import tokenizers
import yaml
from transformers import PreTrainedConfig, PreTrainedTokenizerBase

from hornbook.atomic import beside
from hornbook.corpora import Part
from hornbook.errors import HornbookError
from hornbook.machine import Choice, cores, describe, device_name, processor
from hornbook.objectives import Vocabulary
from hornbook.recipe import Recipe
from hornbook.rng import key
from hornbook.store import TokenStore, build
from hornbook.tokenizers import STYLES, build_fast_tokenizer, load, tokenizer_hash, train
from hornbook.training.bits import bits_depend_on, not_the_same
from hornbook.training.phases import describe_phases
from hornbook.training.progress import Reporter

_LIBRARIES = [
    "hornbook",
    "torch",
    "transformers",
    "tokenizers",
    "datasets",
    "accelerate",
    "numpy",
    "safetensors",
]


@dataclass(frozen=True)
class Run:
    """A recipe with its tokenizer, tokens and configuration: all that the loop needs."""

    recipe: Recipe
    tokenizer: PreTrainedTokenizerBase
    vocabulary: Vocabulary
    config: PreTrainedConfig
    train: TokenStore
    heldout: TokenStore

    @property
    def folder(self) -> Path:
        """Where the run is recorded."""
        return self.recipe.folder

    @property
    def checkpoints(self) -> Path:
        """Where its checkpoints are."""
        return self.folder / "checkpoints"

    @property
    def model(self) -> Path:
        """Where the finished model goes: a folder that AutoModel and AutoTokenizer open."""
        return self.folder / "model"

    @property
    def finished(self) -> bool:
        """Tell whether the run came to its end."""
        return self.model.exists()


def prepare(recipe: Recipe, report: Reporter) -> Run:
    """Make, or find, what the recipe asks for: tokenizer, configuration, tokens.

    Raises HornbookError for whatever doesn't fit together, before anything is written to the run's folder.
    """
    check_folder(recipe)
    tokenizer = _tokenizer(recipe, report)
    vocabulary = Vocabulary.of(tokenizer)
    lengths = [recipe.model.length, *(phase.length for phase in recipe.phases)]
    problems = dict.fromkeys(
        one for length in lengths for one in recipe.objective.problems(vocabulary, length)
    )
    if problems:
        raise HornbookError("; ".join(problems))
    if (longest := max(phase.length for phase in recipe.phases)) < recipe.model.length:
        report.warn(
            f"no phase reaches model.length {recipe.model.length}: beyond token {longest} the model is never trained, "
            "and the figures at its full length will be poor"
        )
    config = recipe.model.family.configure(
        recipe.model.preset, tokenizer, recipe.model.length, recipe.model.config
    )
    end_id = recipe.objective.end(vocabulary)
    assert end_id is not None
    stores = {part: _store(recipe, part, tokenizer, end_id, report) for part in ("train", "heldout")}
    for store in stores.values():
        recipe.objective.chunking(
            store, recipe.model.length
        )  # refuses a corpus that it can't take examples from
    return Run(recipe, tokenizer, vocabulary, config, stores["train"], stores["heldout"])


def check_folder(recipe: Recipe) -> None:
    """Refuse a folder that holds another recipe's run, naming what differs, or something that is no run at all."""
    saved = recipe.folder / "recipe.yaml"
    if not saved.exists():
        if recipe.folder.exists() and any(recipe.folder.iterdir()):
            raise HornbookError(
                f"{recipe.folder}: this folder isn't empty and holds no run: choose another with --set out=..."
            )
        return
    before, now = _flat(yaml.safe_load(saved.read_text("utf-8"))), _flat(recipe.model_dump(mode="json"))
    different = [
        f"{place} {before.get(place)!r} there, {now.get(place)!r} here"
        for place in dict.fromkeys([*before, *now])
        if before.get(place) != now.get(place)
    ]
    if different:
        raise HornbookError(
            f"{recipe.folder}: holds another recipe's run ({'; '.join(different[:3])}): choose another folder with "
            "--set out=..., or delete that one"
        )


def record(
    run: Run, choices: Sequence[Choice], parameters: int, processes: int, first: int, report: Reporter
) -> None:
    """Write down what repeating the run takes: the recipe, versions, machine and its choices, hashes and counts.

    A run that goes on after its first `first` steps warns where its bits depend on something that has changed since it
    began, such as the number of threads. Raises HornbookError when it finds another corpus than it began with.
    """
    recipe, family = run.recipe, run.recipe.model.family
    chosen = {choice.name: choice for choice in choices}
    facts: dict[str, Any] = {
        "name": recipe.name,
        "family": family.name,
        "preset": recipe.model.preset,
        "objective": recipe.objective.name,
        "head": recipe.objective.head,
        "parameters": parameters,
        "tokenizer": {
            "kind": type(run.tokenizer.backend_tokenizer.model).__name__,
            "vocab_size": len(run.tokenizer),
            "hash": tokenizer_hash(run.tokenizer),
        },
        "corpus": {
            "name": recipe.corpus.describe(),
            "fingerprint": recipe.corpus.fingerprint(),
            "train": run.train.counts(),
            "heldout": run.heldout.counts(),
        },
        "seed": recipe.seed,
        "length": recipe.model.length,
        "batch": recipe.training.batch,
        "steps": recipe.training.steps,
        "phases": describe_phases(recipe, run.config),
        "precision": {"chosen": chosen["precision"].chosen, "why": chosen["precision"].why},
        "versions": {"python": platform.python_version()} | {name: version(name) for name in _LIBRARIES},
        "machine": {
            "processor": processor(),
            "cores": cores(),
            "threads": int(chosen["threads"].chosen),
            "processes": processes,
            "device": device_name(),
            "system": f"{platform.system()} {platform.machine()}",
            "choices": describe(choices),
        },
        "began_with": bits_depend_on(choices, processes),
        "processes": [{"from_step": 0, "processes": processes}],
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
    }
    path = run.folder / "run.json"
    if path.exists():
        before = json.loads(path.read_text("utf-8"))
        for what in ("tokenizer", "corpus"):
            name = "hash" if what == "tokenizer" else "fingerprint"
            if before[what][name] != facts[what][name]:
                raise HornbookError(
                    f"{run.folder}: this run began with {what} {before[what][name][:12]}, now it is "
                    f"{facts[what][name][:12]}: bring back the old one, or begin another run with --set out=..."
                )
        if first:
            facts["processes"] = _processes(before, first, processes, first < recipe.training.steps)
            now, facts["began_with"] = facts["began_with"], _began_with(before)
            if first < recipe.training.steps and (warning := not_the_same(facts["began_with"], now)):
                report.warn(f"{run.folder}: {warning}")
    write_json(path, facts)
    with beside(run.folder / "recipe.yaml") as file:
        file.write_text(recipe.to_yaml(), "utf-8")


def _began_with(facts: dict[str, Any]) -> dict[str, str]:
    """Read what the bits of a run that is there depend on, as far as an older Hornbook has written it down."""
    return facts.get("began_with") or {
        "precision": facts["precision"]["chosen"],
        "threads": str(facts["machine"]["threads"]),
        "torch release": facts["versions"]["torch"],
    }


def _processes(facts: dict[str, Any], first: int, processes: int, trains: bool) -> list[dict[str, int]]:
    """List how many processes took the steps, from which on: what a run had, and what it has where it goes on."""
    began = {"from_step": 0, "processes": facts["machine"]["processes"]}  # as an older Hornbook wrote it down
    found = [one for one in facts.get("processes", [began]) if one["from_step"] < first]
    if trains and found[-1]["processes"] != processes:
        found.append({"from_step": first, "processes": processes})
    return found


def write_json(path: Path, facts: dict[str, Any]) -> None:
    """Write JSON beside and rename."""
    with beside(path) as file:
        file.write_text(json.dumps(facts, indent=2, ensure_ascii=False), "utf-8")


def _tokenizer(recipe: Recipe, report: Reporter) -> PreTrainedTokenizerBase:
    """Load the tokenizer that the recipe names, or train one; the same corpus and options find it trained."""
    options, family, head = recipe.tokenizer, recipe.model.family, recipe.objective.head
    modes = recipe.objective.modes()
    if options.path:
        return build_fast_tokenizer(load(options.path), head, recipe.model.length)
    style = STYLES[options.style or family.style]
    sentinels = options.sentinels
    if sentinels is None:
        sentinels = recipe.objective.sentinels(recipe.model.length)
    makers = [f"{library} {version(library)}" for library in ("tokenizers", "sentencepiece")]
    identity = key(
        recipe.corpus.fingerprint(), options.model_dump_json(), repr(style), sentinels, *modes, *makers
    )
    path = Path(recipe.cache) / "tokenizers" / f"{identity:016x}" / "tokenizer.json"
    if not path.exists():
        with report.counting("Training the tokenizer", "bytes") as advance:
            trained = train(recipe.corpus.documents_of("train"), options, style, sentinels, advance, modes)
        with beside(path) as file:
            trained.save(str(file))
    return build_fast_tokenizer(tokenizers.Tokenizer.from_file(str(path)), head, recipe.model.length, style)


def _store(
    recipe: Recipe, part: Part, tokenizer: PreTrainedTokenizerBase, end_id: int, report: Reporter
) -> TokenStore:
    """Find the tokens of a part of the corpus, or make them."""
    sentences = recipe.objective.sentences
    identity = key(
        recipe.corpus.fingerprint(), part, tokenizer_hash(tokenizer), end_id, *["sentences"] * sentences
    )
    folder = Path(recipe.cache) / "tokens" / f"{identity:016x}"
    if folder.exists():
        return TokenStore.open(folder, tokenizer)
    with report.counting(
        f"Tokenizing the {'held-out' if part == 'heldout' else 'training'} part", "bytes"
    ) as advance:
        return build(folder, recipe.corpus.documents_of(part), tokenizer, end_id, advance, sentences)


def _flat(values: dict[str, Any], place: str = "") -> dict[str, Any]:
    """Flatten nested tables to `section.key` names."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{place}{name}.") if isinstance(value, dict) else {f"{place}{name}": value}
    return flat
