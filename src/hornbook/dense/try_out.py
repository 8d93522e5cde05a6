"""Try dense tokens on a model and a text of one's own: do they help there? A page that answers."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, Literal

from hornbook.console import reporter
from hornbook.corpora import Corpus
from hornbook.corpora.given import Texts
from hornbook.dense.opening import Place, checked, folder_of, open_model, write_figures
from hornbook.dense.phases import files_of
from hornbook.dense_tokens.folder import wrap_folder
from hornbook.dense_tokens.model import DenseModel
from hornbook.dense_tokens.phase_one import in_options, select
from hornbook.dense_tokens.probe import refuse_broken
from hornbook.dense_tokens.select import How, SelectOptions
from hornbook.dense_tokens.selection import Selection
from hornbook.errors import HornbookError
from hornbook.report.dense_try import write_try
from hornbook.reporter import Reporter
from hornbook.training.dense import weights_hash
from hornbook.training.dense_outcome import outcome
from hornbook.training.dense_recipe import read_dense_training
from hornbook.training.dense_try import refuse_other, train_ways, write_down
from hornbook.training.own_questions import try_questions
from hornbook.training.tried import Tried, TriedText

_BEFORE = 4
"""Dense tokens before an answer, where nobody says how many."""


def try_out(
    model: Place,
    text: Texts,
    out: Path | str = Path("runs/dense-try"),
    heldout: Texts | None = None,
    questions: bool = False,
    documents: Literal["file", "blank-line", "line", "separator"] = "blank-line",
    windows: int = 4096,
    heldout_windows: int = 256,
    length: int = 64,
    special_tokens: Literal["text", "special"] = "text",
    count: int | None = None,
    rounds: int | None = None,
    seeds: int = 3,
    recipe: Path | str | None = None,
    settings: Iterable[str] = (),
    proposals: int = 4,
    places: Literal["chance", "least-sure"] = "chance",
    keep: How = "places",
    share: float | None = None,
    report: Reporter | None = None,
    **training: Any,
) -> dict[str, Any]:
    """Train a model with dense tokens and, at equal compute, with pause tokens and on plain text; tell what helps.

    `text` and the options of phase 1 are as `select` takes them. With `questions`, `text` and `heldout` are files with
    a "question" and an "answer" in each line; dense tokens stand before the answer, and the loss is on the answer
    alone. Without `heldout`, some documents, or a fifth of the questions, are held out. `rounds` of filling are those
    that the model was trained with; else 1, or for questions one by one (-1). `training` are values of a recipe's
    section of that name, as `train` takes them.

    Returns the figures, which are also in `out`, with the verdict in `sentences` and the path of the `page`. What was
    cut off goes on where it is called again, and so more seeds can be added.
    """
    out, report, folder = Path(out), report or reporter(), folder_of(model)
    wrapped, tokenizer = open_model(model)
    wrapped.eval()
    refuse_broken(wrapped)
    filling = _rounds(wrapped, rounds, None if questions else 1, folder)
    options = read_dense_training(Path(recipe) if recipe else None, settings, {"rounds": filling}, training)
    facts: dict[str, Any] = {"model": str(folder), "weights": weights_hash(wrapped)}
    facts["training"] = options.model_dump(mode="json")
    tried: Tried
    if questions:
        before = _BEFORE if count is None else count
        tried = try_questions(_file(text), _file(heldout) if heldout else None, wrapped, tokenizer, before)
        facts |= {"learned": tried.lessons.fingerprint(), "asked": tried.asked.fingerprint()}
        refuse_other(out, facts)
        write_down(out, facts)
    else:
        cache, given = out.parent / "cache", {"proposals": proposals, "count": count, "places": places}
        chosen = checked(SelectOptions, rounds=filling or 1, keep=keep, share=share, **given)
        corpus = checked(
            Corpus,
            path=files_of(text, cache),
            heldout=files_of(heldout, cache),
            documents=documents,
            special_tokens=special_tokens,
        )
        sizes = {"windows": windows, "heldout_windows": heldout_windows, "length": length}
        with in_options():
            facts["read"] = corpus.fingerprint()
        facts |= {
            "text": corpus.describe(),
            "select": chosen.model_dump(),
            **sizes,
        }
        refuse_other(out, facts)
        if not (place := out / "selection").exists():
            with report.shares() as tell:
                progress = partial(tell, "Scoring")
                kept = select(
                    wrapped,
                    tokenizer,
                    corpus,
                    cache,
                    options=chosen,
                    progress=progress,
                    judged=False,
                    **sizes,
                )
            write_down(out, facts)
            kept.save(place)
        tried = TriedText(Selection.open_for(place, tokenizer, folder))
    trained = train_ways(lambda: wrap_folder(folder), tried, options, seeds, out, report)
    found = {"model": str(folder), **outcome(trained, tried, options, wrapped, tokenizer)}
    write_figures(found, out / "figures.json")
    return found | {"page": str(write_try(found, out / "page.html"))}


def _rounds(model: DenseModel, asked: int | None, usual: int | None, folder: Path) -> int | None:
    """Choose the rounds of filling, None for one by one; refuse others than those that the model was trained with."""
    if asked == 0:
        raise HornbookError(
            "--rounds 0 fills no dense token, which then is a pause token: give 1 or more, or -1"
        )
    known = model.options.trained_rounds
    if asked is None:
        return usual if known is None else None if known == "one by one" else known
    given = asked if asked >= 0 else "one by one"
    if known not in (None, given):
        instead = -1 if known == "one by one" else known
        raise HornbookError(
            f"{folder}: its dense tokens were trained with rounds {known}, and --rounds {asked} fills them with "
            f"{given}: give --rounds {instead}, or the model as it was before"
        )
    return asked if asked >= 0 else None


def _file(given: Any) -> Path:
    if not isinstance(given, str | Path):
        raise HornbookError(f"questions are {type(given).__name__}: give the path of a file of JSON lines")
    return Path(given)
