"""A recipe from Python: values of its sections as keyword arguments, and texts and tokenizers as objects."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerBase

from hornbook.atomic import beside
from hornbook.corpora import files
from hornbook.corpora.given import documents_in, keep
from hornbook.errors import HornbookError
from hornbook.recipe.reading import make_recipe, read_values
from hornbook.recipe.recipe import Recipe
from hornbook.reporter import Reporter
from hornbook.tokenizers import tokenizer_hash

AnyRecipe = Recipe | Mapping[str, Any] | Path | str
"""A recipe as people have it: read, its values, its file, or the name of a shipped one."""

_SHORT = {"model": "preset", "tokenizer": "path"}
"""What a section is given as a word alone means; an objective's name is known to the recipe itself."""

_SOURCE = (
    "path",
    "dataset",
    "config",
    "split",
    "streaming",
    "heldout",
    "format",
    "documents",
    "encoding",
    "given",
)
"""The keys of a corpus that belong to where its text comes from."""


def recipe_of(
    recipe: AnyRecipe | None,
    settings: Iterable[str],
    sections: Mapping[str, Any],
    report: Reporter,
) -> Recipe:
    """Make a recipe of what a Python program gives.

    The `sections` are values of the recipe by name: a table changes the keys that it has, a word is a model's preset,
    an objective's name, or a tokenizer's folder. A tokenizer can be an object of transformers, and the corpus anything
    that `documents_in` reads; both are kept in the cache, where `settings` come last. Raises HornbookError with all
    problems.
    """
    return _with_pipe_kept(_made(recipe, settings, sections, report), report)


def _made(
    recipe: AnyRecipe | None, settings: Iterable[str], sections: Mapping[str, Any], report: Reporter
) -> Recipe:
    if recipe is None and not sections:
        raise HornbookError("no recipe: give its file, its name (see `hornbook recipes`), or its sections")
    if isinstance(recipe, Path | str):
        source, values = str(recipe), read_values(Path(recipe), "recipe", "sections such as corpus and model")
    elif isinstance(recipe, Recipe):
        if not sections and not settings:
            return recipe
        source, values = recipe.name, recipe.model_dump(mode="json")
    elif recipe is None or isinstance(recipe, Mapping):
        source, values = "recipe", dict(recipe or {})
    else:
        raise HornbookError(
            f"the recipe is of the type {type(recipe).__name__}: give its file, its name (see `hornbook recipes`), or "
            "its values"
        )
    for name, given in sorted(sections.items(), key=lambda one: one[0] in ("corpus", "tokenizer")):
        values[name] = _section(name, given, values, report)  # these two last: they are kept in the cache
    try:
        return make_recipe(values, settings, source)
    except HornbookError as error:
        if recipe is not None or ": is missing" not in str(error):
            raise
        raise HornbookError(
            f"{error}; a shipped recipe has all sections (see `hornbook recipes`): hornbook.train(NAME, corpus=...)"
        ) from None


def _section(name: str, given: Any, values: Mapping[str, Any], report: Reporter) -> Any:
    """Give the plain values of a section: what is there already, changed by what is given."""
    before = values.get(name)
    cache = Path(str(values.get("cache") or Recipe.model_fields["cache"].default))
    if name == "corpus":
        return _corpus(given, before if isinstance(before, Mapping) else {}, cache / "texts", report)
    if isinstance(given, PreTrainedTokenizerBase):
        folder = cache / "given" / tokenizer_hash(given)
        if not folder.exists():
            with beside(folder, folder=True) as writing:
                given.save_pretrained(writing)
        return {"path": str(folder)}
    if isinstance(given, Path | str):
        # A family's choices for another preset would be wrong for this one.
        return {**_kept(name, before), _SHORT[name]: str(given)} if name in _SHORT else str(given)
    if isinstance(given, Mapping) and isinstance(before, Mapping) and not _another(given, before):
        return {**before, **given}
    return given


def _kept(name: str, before: Any) -> dict[str, Any]:
    """Keep of a section what a word in its place doesn't change: of a model its length."""
    return {"length": before["length"]} if name == "model" and "length" in (before or {}) else {}


def _another(given: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Tell whether a table names another objective or preset, or a tokenizer's folder, so that it stands alone."""
    return any(name in given and given[name] != before.get(name) for name in ("name", "preset", "path"))


def _corpus(given: Any, before: Mapping[str, Any], folder: Path, report: Reporter) -> dict[str, Any]:
    """Give the plain values of a corpus; documents that a program gives are kept in `folder`, and told."""
    if isinstance(given, Mapping) and not set(given) & {"path", "heldout", "dataset"}:
        return {**before, **given}
    table = dict(given) if isinstance(given, Mapping) else {"path": given}
    kept = before if "path" not in table and "dataset" not in table else _without_source(before)
    values = {**kept, **table}
    field = str(values.get("field") or "text")
    for place in ("path", "heldout"):
        if table.get(place) is None:
            continue
        found = documents_in(table[place], field)
        if isinstance(found, list):
            values[place] = found[0] if len(found) == 1 else found
            continue
        path, facts = _keep(found, folder, field, "given from Python", report)
        values[place] = path
        if place == "path":
            values["given"] = facts
    return values


def _keep(
    texts: Iterator[str], folder: Path, field: str, how: str, report: Reporter
) -> tuple[str, dict[str, Any]]:
    """Keep documents that come only once; give their file and what a recipe says of them."""
    with report.counting("Reading the texts", "bytes") as advance:
        path, count, digest = keep(texts, folder, field, advance)
    report.say(f"{count:,} texts {how} are kept in {path}, so that the run can go on")
    return str(path), {"documents": count, "hash": digest}


def _with_pipe_kept(recipe: Recipe, report: Reporter) -> Recipe:
    """Keep what a pipe gives, such as `<(zcat texts.gz)`: it comes only once, and a run reads it several times."""
    corpus = recipe.corpus
    if not isinstance(corpus.path, str) or not Path(corpus.path).is_fifo():
        return recipe
    read = files.read(
        Path(corpus.path), corpus.format, corpus.documents, corpus.separator, corpus.field, corpus.encoding
    )
    texts = filter(None, map(str.strip, read))
    path, given = _keep(texts, Path(recipe.cache) / "texts", corpus.field, f"from {corpus.path}", report)
    values = recipe.model_dump(mode="json")
    whole = {"path": path, "given": given, "format": "jsonl", "encoding": "utf-8", "documents": "file"}
    return make_recipe({**values, "corpus": {**values["corpus"], **whole}})


def _without_source(before: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in before.items() if name not in _SOURCE}
