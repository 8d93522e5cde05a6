"""Show one example: from a text or from a run's first step, to its loss."""

from collections.abc import Sequence as Several
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor

from hornbook.console import reporter
from hornbook.contract.sample import SAMPLE
from hornbook.dense_tokens.folder import has_dense
from hornbook.direction import apart
from hornbook.errors import HornbookError
from hornbook.example.arithmetic import terms_of
from hornbook.example.dense import SENTENCE, show_dense
from hornbook.example.example import Example
from hornbook.example.given import hidden_tokens
from hornbook.example.sequences import sequences_of
from hornbook.example.source import ExampleSource, Named, open_source
from hornbook.example.text import restore
from hornbook.objectives import IGNORED, Objective
from hornbook.objectives.batch_to_loss import make_batch
from hornbook.reporter import Reporter
from hornbook.rng import CounterRNG
from hornbook.tokenizers import VisibleTokens
from hornbook.training.phases import plan_phases
from hornbook.training.prepare import store_of


def show(
    source: Named,
    text: str | None = None,
    hide: str | Several[str] = (),
    *,
    objective: str | Objective | None = None,
    settings: Several[str] = (),
    seed: int = 0,
    trust: bool = False,
    report: Reporter | None = None,
) -> Example:
    """Show what becomes of a text, or of the first example of a recipe's first step, on its way to the loss.

    `source` is a recipe (its file or values), a run, its folder, a model's folder, `(model, tokenizer)` of
    transformers, or a loaded model. `hide` are words of the text to be hidden in place of those that `seed` would draw.
    `objective` names another one than the recipe's or the natural one of the model; `settings` change a recipe, as in
    `train`. Special tokens in a text are read as text, as in a corpus; in a folder with dense tokens, its dense token
    is read as one. With `trust`, code that lies in the folder may run, which a class of one's own needs. In a notebook
    the result draws itself.

    The loss is the one that training computes for this batch with these weights, in fp32 and without dropout. Raises
    HornbookError for a source that isn't there, for words that aren't in the text or that the objective doesn't hide,
    and for a text that is empty or longer than the model takes.
    """
    report, hide = report or reporter(), [hide] if isinstance(hide, str) else list(hide)
    for what, given in (("text", "" if text is None else text), *(("hidden word", one) for one in hide)):
        if not isinstance(given, str):
            raise HornbookError(f"the {what} is of the type {type(given).__name__}: give a str")
    if text is not None and not text.strip():
        raise HornbookError(
            "the text is empty: give some words, or leave it out for an example of the corpus"
        )
    if isinstance(source, Path | str) and has_dense(Path(source)):
        if hide or objective or settings:
            raise HornbookError(
                f"{source} has dense tokens, which are shown in a plain causal text: leave --hide, --objective and "
                "--set out"
            )
        return show_dense(Path(source), text)
    found = open_source(source, settings, objective, report, trust)
    problems = found.objective.problems(found.loaded.vocabulary, found.loaded.length)
    if problems:
        raise HornbookError("; ".join(problems))
    if text is None and hide:
        raise HornbookError(f"--hide {hide[0]!r} says what to hide of a text: give a text, too")
    if text is None and found.recipe:
        batch = _first_of_run(found, report)
    else:
        batch = _of_text(found, SENTENCE if text is None else text, hide, seed)
    return _shown(found, batch, text)


def _first_of_run(source: ExampleSource, report: Reporter) -> dict[str, Tensor]:
    """Make the first example of the run's first step, as training makes it."""
    assert source.recipe is not None
    vocabulary, rows = source.loaded.vocabulary, np.zeros(1, np.int64)
    end = source.objective.end(vocabulary)
    assert end is not None
    store = store_of(source.recipe, "train", source.loaded.tokenizer, end, report)
    plan = plan_phases(source.recipe, store)[0].plan
    starts, rng = plan.starts(0, rows), plan.rng(0, rows)
    return make_batch(store, source.objective, plan.chunking, starts, vocabulary, rng)


def _of_text(source: ExampleSource, text: str, hide: Several[str], seed: int) -> dict[str, Tensor]:
    """Make the example of one text; other texts are there for objectives that take a part from elsewhere."""
    loaded, objective = source.loaded, source.objective
    end = objective.end(loaded.vocabulary)
    assert end is not None
    with TemporaryDirectory() as folder:
        texts = [text, *SAMPLE] if objective.sentences else [text]
        store = objective.store(Path(folder) / "tokens", texts, loaded.tokenizer, end)
        hidden = None
        if hide:
            hidden = np.zeros(len(store.tokens), bool)
            given = hidden_tokens(loaded.tokenizer, text, hide)
            hidden[: len(given)] = given & ~loaded.vocabulary.is_special(store.document(0)[:-1])
            if not hidden.any():
                raise HornbookError(
                    f"--hide {hide[0]!r} is an unknown word to this tokenizer, and such words are never hidden: "
                    "name another one"
                )
        arrays = objective.example(
            store, loaded.vocabulary, CounterRNG(seed, 0, np.zeros(1, np.int64)), hidden
        )
    if (length := arrays["input_ids"].shape[1]) > loaded.length:
        raise HornbookError(
            f"the text makes {length} tokens, and {loaded.name} takes {loaded.length}: shorten it"
        )
    batch = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}
    if hide and bool((batch["labels"] == IGNORED).all()):
        raise HornbookError(
            f"--hide {hide[0]!r}: these words stood in the second segment, for which a text from elsewhere was drawn: "
            "take another --seed"
        )
    return batch


def _shown(source: ExampleSource, batch: dict[str, Tensor], text: str | None) -> Example:
    loaded, objective = source.loaded, source.objective
    names = VisibleTokens(loaded.tokenizer)
    terms, loss, remarks = terms_of(loaded, objective, batch, names)
    whose = "the first example of the first step" if text is None and source.recipe else ""
    written = [token for token in loaded.tokenizer.all_special_tokens if text and token in text]
    if written:
        remarks += (
            f"{', '.join(written)} in the text is read as plain text, as in a corpus: name words to hide with --hide.",
        )
    return Example(
        ": ".join(filter(None, [f"{apart(loaded.name)}, {objective.title}", whose])),
        objective.lesson,
        restore(objective, batch, loaded.vocabulary, names),
        sequences_of(loaded, objective, batch, names),
        terms,
        loss,
        (*source.remarks, *remarks),
        batch,
    )
