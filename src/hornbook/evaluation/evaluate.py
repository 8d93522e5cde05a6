"""All that is measured of a trained model on held-out text, and samples of what it writes."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hornbook.atomic import beside
from hornbook.errors import HornbookError
from hornbook.evaluation.bits_per_byte import bits_per_byte
from hornbook.evaluation.heldout_loss import heldout_loss
from hornbook.evaluation.likelihood import Likelihood
from hornbook.evaluation.loading import LoadedModel, load_model
from hornbook.evaluation.prompts import heldout_prompts
from hornbook.evaluation.pseudo_likelihood import pseudo_likelihood
from hornbook.evaluation.samples import fits, sample
from hornbook.families import Head
from hornbook.objectives import OBJECTIVES, Causal, Objective
from hornbook.recipe import read_recipe
from hornbook.store import TokenStore, build
from hornbook.tokenizers import encode_documents

Progress = Callable[[str, float], None]
"""Hears what is being done, and the share of it that is done."""

Outcome = dict[str, list[dict[str, Any]]]
"""`measures` (measure, value, unit, over, rule, comparable) and `samples` (kind, prompt, output)."""

_BITS, _NATS = "bits/byte", "nats/label"
_LOSSES: dict[Head, str] = {"causal": "held-out loss", "masked": "masked-token loss", "seq2seq": "span loss"}
"""What the loss of an objective with a single term is called."""


def evaluate(
    loaded: LoadedModel,
    texts: Sequence[str],
    objective: Objective | None = None,
    *,
    documents: int | None = None,
    windows: int = 2000,
    prompts: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Measure a model on held-out documents, and let it write.

    A causal model gets bits per byte, over all documents unless `documents` caps them, and its loss; a masked
    one its loss and pseudo-likelihood; a text-to-text one its loss. Losses are over at most `windows` windows
    of the `objective` (by default the published one for the model's head). `prompts` have a blank, written
    `<mask>`, and are taken from the texts by default, as far as they fit the model's length. Raises
    HornbookError where there is no text, and where model and objective don't fit.
    """
    tell = progress or (lambda what, share: None)
    objective = (
        objective or next(kind for kind in OBJECTIVES.values() if any(map(loaded.serves, kind.heads())))()
    )
    loaded.need(objective.head)
    problems = objective.problems(loaded.vocabulary, loaded.length)
    if problems or not any(texts):
        raise HornbookError(
            "; ".join(problems) or "there is no held-out text to evaluate on: give some documents"
        )
    end = objective.end(loaded.vocabulary)
    assert end is not None
    with TemporaryDirectory() as folder:
        store = build(Path(folder) / "tokens", texts, loaded.tokenizer, end, sentences=objective.sentences)
        measures = _losses(loaded, objective, store, windows, tell)
        if loaded.head == "causal":
            measures.insert(0, _bits_per_byte(loaded, objective, store, texts, documents, tell))
    if loaded.serves("masked"):
        measures.append(_pseudo_likelihood(loaded, texts, tell))
    if prompts is None:
        prompts = [prompt for prompt in heldout_prompts(texts) if fits(loaded, prompt)]
    samples = []
    for number, prompt in enumerate(prompts, 1):
        samples.append(sample(loaded, prompt))
        tell("samples", number / len(prompts))
    return {"measures": measures, "samples": samples}


def evaluate_run(folder: Path, progress: Progress | None = None) -> Outcome:
    """Evaluate a run on its corpus's held-out part and write `evaluation.json` into its folder.

    Raises HornbookError as `load_model` and `evaluate` do, and for a held-out part that isn't the one of the
    training.
    """
    loaded = load_model(folder)
    recipe = read_recipe(folder / "recipe.yaml")
    texts = list(recipe.corpus.documents_of("heldout"))
    found = {"documents": len(texts), "bytes": _bytes(texts)}
    before = json.loads((folder / "run.json").read_text("utf-8"))["corpus"]["heldout"]
    if found != {name: before[name] for name in found}:
        raise HornbookError(
            f"{folder}: its held-out part had {before['documents']:,} documents, {before['bytes']:,} bytes, "
            f"and now has {found['documents']:,}, {found['bytes']:,} bytes: bring back the old text, for "
            "figures on another one can't be compared"
        )
    outcome = evaluate(loaded, texts, recipe.objective, progress=progress)
    with beside(folder / "evaluation.json") as file:
        file.write_text(json.dumps(outcome, indent=2, ensure_ascii=False), "utf-8")
    return outcome


def _bits_per_byte(
    loaded: LoadedModel,
    objective: Objective,
    store: TokenStore,
    texts: Sequence[str],
    documents: int | None,
    tell: Progress,
) -> dict[str, Any]:
    found = bits_per_byte(loaded, store, documents, lambda share: tell("bits per byte", share))
    rule = (
        "Each document is read alone, from an end token on, and its own end token counts too. "
        f"One of more than {loaded.length} tokens is read in windows of that length that overlap by "
        "half, and each token is predicted once."
    )
    if not isinstance(objective, Causal):
        rule += " The training, of another objective, never asked for that."
    comparable = "It compares with any causal model on the same text, whatever its tokenizer and length."
    comparable += _lossy(loaded, texts)
    return _measure("bits per byte", found.bits_per_byte, _BITS, _over(found, len(texts)), rule, comparable)


def _pseudo_likelihood(loaded: LoadedModel, texts: Sequence[str], tell: Progress) -> dict[str, Any]:
    found = pseudo_likelihood(loaded, texts, progress=lambda share: tell("pseudo-likelihood", share))
    rule = "Each token of the documents' first 256 characters is hidden in turn, and all others are seen."
    comparable = (
        "It compares with masked models on the same text, whatever their tokenizer, and never with a causal "
        "model's bits per byte: it sees what comes after."
    )
    comparable += _lossy(loaded, texts)
    return _measure(
        "pseudo-likelihood", found.bits_per_byte, _BITS, _over(found, len(texts)), rule, comparable
    )


def _losses(
    loaded: LoadedModel, objective: Objective, store: TokenStore, windows: int, tell: Progress
) -> list[dict[str, Any]]:
    """Measure the objective's loss or, where it has several terms, each of them."""
    single = _LOSSES.get(objective.head, "loss")
    found = heldout_loss(loaded, objective, store, windows, lambda share: tell(single, share))
    size, what = (
        objective.window(loaded.length),
        "pairs of at most" if objective.head == "pairs" else "windows of",
    )
    spread = "" if found.windows == found.available else f", spread evenly over {found.available:,}"
    rule = f"The objective is {objective.describe()}, at the same places every time."
    comparable = "It compares with models of the same objective, tokenizer and length on the same text."
    return [
        _measure(
            name if len(found.terms) > 1 else single,
            term.mean,
            "share" if name.endswith("accuracy") else _NATS,
            f"{found.windows:,} {what} {size} tokens{spread}: {term.labels:,} labels",
            rule,
            comparable,
        )
        for name, term in found.terms.items()
    ]


def _measure(measure: str, value: float, unit: str, over: str, rule: str, comparable: str) -> dict[str, Any]:
    named = {"measure": measure, "value": value, "unit": unit}
    return named | {"over": over, "rule": rule, "comparable": comparable}


def _over(found: Likelihood, documents: int) -> str:
    spread = "" if found.documents == documents else f", spread evenly over {documents:,}"
    return f"{found.documents:,} documents{spread}: {found.bytes:,} bytes, {found.tokens:,} tokens"


def _lossy(loaded: LoadedModel, texts: Sequence[str]) -> str:
    """Warn of a tokenizer that loses some of the text: what is lost needn't be predicted."""
    ids = encode_documents(loaded.tokenizer, list(texts[:100]))
    if all(loaded.tokenizer.decode(one) == text for one, text in zip(ids, texts, strict=False)):
        return ""
    return (
        " Its tokenizer loses some of the text (spaces, case or rare characters), which flatters the figure."
    )


def _bytes(texts: Sequence[str]) -> int:
    return sum(len(text.encode("utf-8")) for text in texts)
