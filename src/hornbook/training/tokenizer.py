"""A run's tokenizer: the one that its recipe names, or one that is trained once and kept in the cache."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import tokenizers
from transformers import PreTrainedTokenizerBase

from hornbook.atomic import beside
from hornbook.cache import find_or_make
from hornbook.errors import Damaged, HornbookError
from hornbook.recipe import Recipe
from hornbook.reporter import Reporter
from hornbook.rng import key
from hornbook.sealed import find_damage, write_manifest
from hornbook.tokenizers import STYLES, build_fast_tokenizer, load, train
from hornbook.tokenizers.record import Counted, make_record, read_record, save_record
from hornbook.tokenizers.style import Style


def tokenizer_of(recipe: Recipe, report: Reporter) -> PreTrainedTokenizerBase:
    """Load the tokenizer that the recipe names, or train one; the cache keeps it for the same corpus and options."""
    options, family, template = recipe.tokenizer, recipe.model.family, recipe.objective.template
    if options.path:
        found = load(options.path)
        try:
            return build_fast_tokenizer(found, template, recipe.model.length)
        except HornbookError as error:
            raise HornbookError(
                f"tokenizer.path {options.path}: {error}; or give this one what is missing: hornbook tokenizer reindex "
                f"{options.path} --for {family.name} --out NEW"
            ) from error
    folder, style = _cached(recipe)

    def find() -> PreTrainedTokenizerBase:
        if problem := find_damage(folder):
            raise Damaged(f"{folder}: {problem}")
        rust = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        return build_fast_tokenizer(rust, template, recipe.model.length, style)

    def make() -> PreTrainedTokenizerBase:
        with report.counting("Training the tokenizer", "bytes") as advance:
            read = Counted(recipe.corpus.documents_of("train"))
            trained = train(read, options, style, _sentinels(recipe), advance, recipe.objective.modes())
        built = build_fast_tokenizer(trained, template, recipe.model.length, style)
        facts = make_record(built, recipe.corpus.describe(), read, options.model_dump(exclude={"path"}))
        with beside(folder, folder=True) as new:
            trained.save(str(new / "tokenizer.json"))
            save_record(new, facts)
            write_manifest(new)
        return find()

    return find_or_make(folder, find, make, report)


def record_of(recipe: Recipe) -> dict[str, Any] | None:
    """Read what the recipe's tokenizer was trained on; None if nobody wrote it down."""
    return read_record(Path(recipe.tokenizer.path) if recipe.tokenizer.path else _cached(recipe)[0])


def _cached(recipe: Recipe) -> tuple[Path, Style]:
    """Give the folder in the cache for this corpus and these options, and the style of the special tokens."""
    style = STYLES[recipe.tokenizer.style or recipe.model.family.style]
    makers = [f"{library} {version(library)}" for library in ("tokenizers", "sentencepiece")]
    identity = key(
        recipe.corpus.fingerprint(),
        recipe.tokenizer.model_dump_json(),
        repr(style),
        _sentinels(recipe),
        *recipe.objective.modes(),
        *makers,
    )
    return Path(recipe.cache) / "tokenizers" / f"{identity:016x}", style


def _sentinels(recipe: Recipe) -> int:
    asked = recipe.tokenizer.sentinels
    return recipe.objective.sentinels(recipe.model.length) if asked is None else asked
