"""The two phases: choose places for dense tokens, and train on them; and drop those that are of no use."""

import shutil
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, Literal

from hornbook.atomic import check_new
from hornbook.console import reporter
from hornbook.corpora import Corpus
from hornbook.corpora.given import Texts, documents_in
from hornbook.corpora.given import keep as keep_texts
from hornbook.dense.opening import Place, checked, open_model, open_pair
from hornbook.dense_tokens import Gradient
from hornbook.dense_tokens.delete import delete_from
from hornbook.dense_tokens.folder import save_dense
from hornbook.dense_tokens.phase_one import select as choose
from hornbook.dense_tokens.select import How, SelectOptions
from hornbook.dense_tokens.selection import Selection
from hornbook.reporter import Reporter
from hornbook.training.dense import train_dense
from hornbook.training.dense_recipe import read_dense_training


def select(
    model: Place,
    out: Path | str,
    text: Texts | None = None,
    heldout: Texts | None = None,
    documents: Literal["file", "blank-line", "line", "separator"] = "file",
    windows: int = 512,
    heldout_windows: int = 256,
    length: int = 64,
    special_tokens: Literal["text", "special"] = "text",
    count: int | None = None,
    proposals: int = 4,
    rounds: int = 1,
    places: Literal["chance", "least-sure"] = "chance",
    keep: How = "texts",
    share: float | None = None,
    seed: int = 0,
    report: Reporter | None = None,
) -> Selection:
    """Propose dense tokens in texts, fill them, keep those after which the words are likelier, and save them in `out`.

    `text` and `heldout` are documents, read once, or files, which `documents` cuts; without text, the manuals that
    Python carries. A dense token that stands in the text stays where it is. `Selection.facts["gains"]` says what the
    kept ones gain, in nats a word. The options are `SelectOptions`'.
    """
    out = Path(out)
    check_new(out)
    wrapped, tokenizer = open_model(model)
    wrapped.eval()
    given = {"proposals": proposals, "count": count, "rounds": rounds, "places": places, "keep": keep}
    options = checked(SelectOptions, share=share, **given)
    cache = out.parent / "cache"
    corpus = checked(
        Corpus,
        path=files_of(text, cache),
        heldout=files_of(heldout, cache),
        documents=documents,
        special_tokens=special_tokens,
    )
    with (report or reporter()).shares() as tell:
        progress = partial(tell, "Scoring")
        kept = choose(
            wrapped, tokenizer, corpus, cache, windows, heldout_windows, length, options, seed, progress
        )
    kept.save(out)
    return kept


def train(
    model: Place,
    selection: Path | str,
    out: Path | str,
    recipe: Path | str | None = None,
    settings: Iterable[str] = (),
    arm: Literal["dense", "pause", "plain"] = "dense",
    rounds: int = 1,
    crossings: int = -1,
    weight: float = 1.0,
    producer_only: bool = False,
    emission: float = 0.0,
    ahead: float = 0.0,
    seed: int = 0,
    report: Reporter | None = None,
    **training: Any,
) -> dict[str, Any]:
    """Train a model on a selection, and return the held-out figures before and after, in bits per byte.

    `training` are values of a recipe's section of that name, such as steps, batch and learning_rate; they go over the
    recipe's, and `settings` ("training.steps=60") over both. -1 rounds fill one by one, and -1 crossings are any
    number; the others are as `DenseTraining` says. A training that was cut off goes on where it is called again.
    """
    out, report = Path(out), report or reporter()
    check_new(out)
    wrapped, tokenizer, kept = open_pair(model, selection)
    checkpoints = out.with_name(f"{out.name}.checkpoints")
    gradient = checked(
        Gradient,
        crossings=None if crossings < 0 else crossings,
        weight=weight,
        producer_only=producer_only,
    )
    given: dict[str, object] = {"arm": arm, "emission": emission, "ahead": ahead, "gradient": gradient}
    given["rounds"] = None if rounds < 0 else rounds
    options = read_dense_training(Path(recipe) if recipe else None, settings, given, training)
    with report.steps(f"Training, {arm}", 0, options.steps) as reach:
        figures = train_dense(
            wrapped, kept, options, seed, out.with_name(f"{out.name}.jsonl"), reach, checkpoints, report.warn
        )
    save_dense(wrapped, tokenizer, out)
    shutil.rmtree(checkpoints)
    return figures


def delete(
    model: Place,
    selection: Path | str,
    out: Path | str,
    rounds: int = -1,
    seed: int = 0,
    report: Reporter | None = None,
) -> Selection:
    """Drop the dense tokens that don't make the words likelier, and save the others as a selection in `out`.

    `Selection.facts["deleted"]` says how many went, and how likely the words are without them.
    """
    check_new(Path(out))
    wrapped, _, kept = open_pair(model, selection)
    wrapped.eval()
    with (report or reporter()).shares() as tell:
        fewer = delete_from(
            wrapped, kept, None if rounds < 0 else rounds, seed, lambda share: tell("Deleting", share)
        )
    fewer.save(Path(out))
    return fewer


def files_of(texts: Texts | None, cache: Path) -> str | list[str] | None:
    """Give the files of texts; documents that a program gives are kept as a file in `cache`."""
    if texts is None:
        return None
    found = documents_in(texts)
    if isinstance(found, list):
        return found[0] if len(found) == 1 else found
    return str(keep_texts(found, cache / "texts")[0])
