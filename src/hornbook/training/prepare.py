"""What a recipe becomes before the first step: tokenizer, configuration, tokens."""

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from hornbook.cache import find_or_make
from hornbook.corpora import Part
from hornbook.errors import Damaged, HornbookError
from hornbook.evaluation.evaluate import check_directions
from hornbook.families.custom import Custom
from hornbook.objectives import READING, Vocabulary
from hornbook.recipe import Recipe
from hornbook.reporter import Reporter
from hornbook.rng import key
from hornbook.sealed import MANIFEST, find_damage
from hornbook.store import FORM, TokenStore, build
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
from hornbook.tokenizers.record import save_record
from hornbook.training.checkpoints import Checkpoint, find_checkpoint
from hornbook.training.from_model import begin_from, check_entries
from hornbook.training.resume import COURSE, check_folder
from hornbook.training.tokenizer import record_of, tokenizer_of


@dataclass(frozen=True)
class PreparedRun:
    """A recipe with its tokenizer, tokens and configuration: all that the loop needs. (`hornbook.Run` is a folder.)"""

    recipe: Recipe
    tokenizer: PreTrainedTokenizerBase
    vocabulary: Vocabulary
    config: PretrainedConfig
    train: TokenStore
    heldout: TokenStore
    tokenizer_record: dict[str, Any] | None
    """What the tokenizer was trained on, if that is known."""
    began: dict[str, Any] | None = None
    """What the run's folder tells of how it began; None for a new one."""

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

    @cached_property
    def finished(self) -> bool:
        """Tell whether the run came to its end: its model is there and whole."""
        return self.model.exists() and self.damage is None

    @cached_property
    def damage(self) -> str | None:
        """Say what is wrong with the finished model, or return None; one of an older version has no manifest."""
        if not self.model.exists():
            return None
        if not (self.model / MANIFEST).exists() and any(self.model.rglob("*.safetensors")):
            return None
        return find_damage(self.model)

    def find_checkpoint(self, warn: Callable[[str], None]) -> Checkpoint | None:
        """Find the checkpoint to go on from, as `find_checkpoint` does; from it a damaged model is made again.

        Raises Damaged if the model is damaged and there is none.
        """
        if self.damage:
            warn(f"{self.model}: {self.damage}; it is made again from its checkpoint")
        try:
            found = find_checkpoint(self.checkpoints, warn)
        except Damaged:
            if not self.finished:
                raise
            warn(f"{self.checkpoints}: none is whole, so that this run can't be extended; its model is whole")
            return None
        if self.damage and found is None:
            raise Damaged(
                f"{self.model}: {self.damage}, and no checkpoint is left to make it from: copy it back, or delete it "
                "to train it anew"
            )
        return found

    def save(self, folder: Path, model: PreTrainedModel, course: bool = False) -> None:
        """Write a folder that AutoModel and AutoTokenizer open; with the `course`, run.json can be restored from it."""
        model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        save_record(folder, self.tokenizer_record)
        if course and (self.folder / "run.json").exists():
            shutil.copyfile(self.folder / "run.json", folder / COURSE)


def prepare(recipe: Recipe, report: Reporter) -> PreparedRun:
    """Make or find what the recipe asks for: tokenizer, configuration, tokens.

    Raises HornbookError if something doesn't fit together, before anything is written to the run's folder.
    """
    began = check_folder(recipe, report.say, report.warn)
    _check_code(recipe, began)
    check_directions(recipe.objective)
    tokenizer, vocabulary, config = tokenizer_and_config(recipe, report)
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
        recipe, tokenizer, vocabulary, config, stores["train"], stores["heldout"], record_of(recipe), began
    )


def tokenizer_and_config(
    recipe: Recipe, report: Reporter
) -> tuple[PreTrainedTokenizerBase, Vocabulary, PretrainedConfig]:
    """Make or find the tokenizer, and the configuration that fits it. Raises HornbookError where they can't fit."""
    if recipe.model.code and (misfit := recipe.misfits(run_code=True)):
        raise HornbookError("; ".join(misfit))
    tokenizer = tokenizer_of(recipe, report)
    if recipe.model.begun_from:
        check_entries(recipe, tokenizer)
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


def make_model(recipe: Recipe, config: PretrainedConfig, folder: Path | None = None) -> PreTrainedModel:
    """Build the model that a run begins with, on the CPU, or open the one of a checkpoint's folder."""
    family, head = recipe.model.family, recipe.objective.head
    model = family.open(folder, head) if folder else family.build(config, head, key(recipe.seed, "weights"))
    if folder is None and recipe.model.begun_from:
        begin_from(recipe, model)
    if model.can_generate():  # else transformers' pipelines write beyond the last position
        model.generation_config.max_length = recipe.model.length
    return model


def _check_code(recipe: Recipe, began: dict[str, Any] | None) -> None:
    """Refuse to go on with another file than the one that a run began with: no row of a table would be true of it."""
    folder = recipe.folder
    if not recipe.model.code or began is None or not isinstance(family := recipe.model.family, Custom):
        return
    before = began.get("code") or {}
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
    identity = key(recipe.corpus.fingerprint(), part, tokenizer_hash(tokenizer), end_id, FORM, *marks)
    folder = Path(recipe.cache) / "tokens" / f"{identity:016x}"

    def make() -> TokenStore:
        named = "held-out" if part == "heldout" else "training"
        with report.counting(f"Tokenizing the {named} part", "bytes") as advance:
            documents, special = recipe.corpus.documents_of(part), recipe.corpus.special_tokens
            return build(folder, documents, tokenizer, end_id, advance, sentences, special, words)

    return find_or_make(folder, lambda: TokenStore.open(folder, tokenizer), make, report)
