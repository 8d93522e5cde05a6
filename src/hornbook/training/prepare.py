"""What a recipe becomes before the first step: tokenizer, configuration, tokens."""

import json
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from hornbook.atomic import unfinished
from hornbook.corpora import Part
from hornbook.errors import HornbookError
from hornbook.evaluation.evaluate import check_directions
from hornbook.families import Family
from hornbook.families.custom import Custom
from hornbook.objectives import READING, Vocabulary
from hornbook.recipe import Recipe, make_recipe
from hornbook.recipe.fit import resolve
from hornbook.reporter import Reporter
from hornbook.rng import key
from hornbook.store import TokenStore, build
from hornbook.store.boundaries import rules
from hornbook.store.near import count_near_duplicates
from hornbook.store.summary import doubts, summarize
from hornbook.tokenizers import (
    DENSE,
    advise,
    describe_literals,
    describe_smaller,
    tokenizer_hash,
)
from hornbook.training.tokenizer import record_of, tokenizer_of


@dataclass(frozen=True)
class PreparedRun:
    """A recipe with its tokenizer, tokens and configuration: all that the loop needs."""

    recipe: Recipe
    tokenizer: PreTrainedTokenizerBase
    vocabulary: Vocabulary
    config: PreTrainedConfig
    train: TokenStore
    heldout: TokenStore
    tokenizer_record: dict[str, Any] | None
    """What the tokenizer was trained on, if that is known."""

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


def prepare(recipe: Recipe, report: Reporter) -> PreparedRun:
    """Make or find what the recipe asks for: tokenizer, configuration, tokens.

    Raises HornbookError if something doesn't fit together, before anything is written to the run's folder.
    """
    check_folder(recipe)
    check_directions(recipe.objective)
    tokenizer, vocabulary, config = fit(recipe, report)
    end_id = recipe.objective.end(vocabulary)
    assert end_id is not None
    stores = {part: store_of(recipe, part, tokenizer, end_id, report) for part in ("train", "heldout")}
    for store in stores.values():
        recipe.objective.chunking(store, recipe.model.length)  # refuses a corpus without examples
    report.say(summarize(stores["train"], stores["heldout"], tokenizer.unk_token))
    if likeness := recipe.corpus.near_duplicates:
        near = count_near_duplicates(stores["train"], likeness)
        report.say(
            f"{near:,} documents to train on are like an earlier one (corpus.near_duplicates {likeness:g})"
        )
    for doubt in doubts(stores["train"], stores["heldout"]):
        report.warn(doubt)
    literals = Counter(stores["train"].literals) + Counter(stores["heldout"].literals)
    told, as_text = describe_literals(literals, tokenizer, recipe.corpus.special_tokens)
    if as_text:
        parting = "--set corpus.documents=separator --set 'corpus.separator={}'"
        report.warn(f"{told}; {advise(as_text, tokenizer, '--set corpus.special_tokens=special', parting)}")
    elif told:
        report.say(told)
    return PreparedRun(
        recipe, tokenizer, vocabulary, config, stores["train"], stores["heldout"], record_of(recipe)
    )


def fit(recipe: Recipe, report: Reporter) -> tuple[PreTrainedTokenizerBase, Vocabulary, PreTrainedConfig]:
    """Make or find the tokenizer, and the configuration that fits it. Raises HornbookError where they can't fit."""
    if recipe.model.code and (misfit := recipe.misfits(run_code=True)):
        raise HornbookError("; ".join(misfit))
    tokenizer = tokenizer_of(recipe, report)
    if smaller := describe_smaller(recipe.tokenizer, len(tokenizer)):
        report.warn(smaller)
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
    chosen = recipe.model
    config = chosen.family.configure(chosen.size, tokenizer, chosen.length, chosen.config, chosen.positions)
    if recipe.objective.reading == "right to left":
        setattr(config, READING, "right to left")  # so that no command reads it in the other direction
    return tokenizer, vocabulary, config


def make_model(recipe: Recipe, config: PreTrainedConfig, folder: Path | None = None) -> PreTrainedModel:
    """Build the model that a run begins with, on the CPU, or open the one of a checkpoint's folder."""
    family, head = recipe.model.family, recipe.objective.head
    model = family.open(folder, head) if folder else family.build(config, head, key(recipe.seed, "weights"))
    if model.can_generate():  # else transformers' pipelines write beyond the last position
        model.generation_config.max_length = recipe.model.length
    return model


def check_folder(recipe: Recipe) -> None:
    """Refuse a folder that holds another recipe's run, and name what differs; or that holds no run but other files."""
    saved = recipe.folder / "recipe.yaml"
    if recipe.model.code:
        _check_code(recipe.folder, recipe.model.family)
    if not saved.exists():
        if recipe.folder.exists() and any(not unfinished(one) for one in recipe.folder.iterdir()):
            raise HornbookError(
                f"{recipe.folder}: this folder isn't empty and holds no run: choose another with --set out=..."
            )
        return
    there = resolve(yaml.safe_load(saved.read_text("utf-8")))
    # A run of an older version lacks the keys that are new, and has their defaults.
    with suppress(HornbookError):
        there = make_recipe(there).model_dump(mode="json")
    before, now = _flat(there), _flat(recipe.model_dump(mode="json"))
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


def _check_code(folder: Path, family: Family) -> None:
    """Refuse to go on with another file than the one that a run began with: no row of a table would be true of it."""
    if not isinstance(family, Custom) or not (folder / "run.json").is_file():
        return
    before = json.loads((folder / "run.json").read_text("utf-8")).get("code") or {}
    now = family.source.facts
    if before and before["sha256"] != now["sha256"]:
        kept = next(
            iter(sorted(folder.glob(f"*/{before['file']}")) + sorted(folder.glob(f"*/*/{before['file']}"))),
            None,
        )
        raise HornbookError(
            f"{folder}: this run began with {before['file']} {before['sha256'][:12]}, and {family.source.path} is now "
            f"{now['sha256'][:12]}: begin another run with --set out=..., or bring back the old file"
            + (f", which lies in {kept}" if kept else "")
        )


def store_of(
    recipe: Recipe, part: Part, tokenizer: PreTrainedTokenizerBase, end_id: int, report: Reporter
) -> TokenStore:
    """Find the tokens of a part of the corpus in the cache, or make them."""
    sentences, words = recipe.objective.sentences, recipe.objective.words
    marks = ["sentences"] * sentences + ["words"] * words
    marks += [rules()] if marks else []
    marks += [DENSE] * (DENSE in tokenizer.get_vocab())
    identity = key(recipe.corpus.fingerprint(), part, tokenizer_hash(tokenizer), end_id, *marks)
    folder = Path(recipe.cache) / "tokens" / f"{identity:016x}"
    if folder.exists():
        return TokenStore.open(folder, tokenizer)
    with report.counting(
        f"Tokenizing the {'held-out' if part == 'heldout' else 'training'} part", "bytes"
    ) as advance:
        documents, special = recipe.corpus.documents_of(part), recipe.corpus.special_tokens
        return build(folder, documents, tokenizer, end_id, advance, sentences, special, words)


def _flat(values: dict[str, Any], place: str = "") -> dict[str, Any]:
    """Flatten nested tables to `section.key` names."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{place}{name}.") if isinstance(value, dict) else {f"{place}{name}": value}
    return flat
