"""What the first step shows: the loss compared with its floor, and rows that batches use but gradients don't reach."""

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from hornbook.contract.check import check
from hornbook.contract.probes.network import Network
from hornbook.contract.subject import Subject


@check(
    "C37",
    "The first loss is near ln V",
    needs="network learning_batch",
    severity="warning",
    why="A model that knows nothing has a loss of at least ln V, and shouldn't start much higher. A T5 with tied "
    "outputs starts at more than twice ln V if they aren't scaled.",
    fix="Scale the outputs, start the shared embedding smaller, or give the head weights of its own.",
    unless="C35 C15 C16 C30",
)
def first_loss(subject: Subject) -> Iterator[str]:
    """Compute the loss of one batch, without dropout."""
    loss = first_batch_loss(subject)
    if loss is None or subject.network is None or subject.stood_in_for:
        return
    if subject.architecture is not None and subject.headless:
        return
    even = math.log(subject.network.rows)
    if not math.isfinite(loss):
        yield f"the loss of the first batch is {loss}"
    elif loss > 1.5 * even + 1:
        yield f"the loss of the first batch is {loss:.2f}, and ln V is {even:.2f}"


@check(
    "H08",
    "The tokenizer has what the objective needs",
    needs="objective vocabulary length",
    why="Without these tokens and this length, the objective can't make its batches.",
    fix="Take a tokenizer that has them (`hornbook tokenizer train --style ...`), or another objective.",
    unless="C14 C26 C30 C32",
)
def objective_needs(subject: Subject) -> Iterator[str]:
    """Ask the objective."""
    assert subject.objective and subject.vocabulary and subject.length
    yield from subject.objective.problems(subject.vocabulary, min(subject.length, 100_000))


@check(
    "P04",
    "Random words can't be learned",
    needs="learned",
    why="Only the frequency of words that are drawn at random can be learned. A loss far below ln n means that the "
    "input shows the answer. Measured on ten words, where ln 10 = 2.30 is the lowest that can be learned: below 0.1 "
    "after 150 steps, by a causal BERT that looks ahead.",
    fix="Find where the input shows the label: a missing mask, an input that isn't corrupted, labels that are shifted.",
)
def noise(subject: Subject) -> Iterator[str]:
    """Compare the loss that was reached with half of ln n: corruption leaves some words visible, never most."""
    assert subject.learned is not None
    reached, even = subject.learned
    if reached < even / 2:
        yield f"the loss on random words fell to {reached:.2f}, and ln n is {even:.2f}"


@check(
    "P03",
    "Every embedding that a batch uses can learn",
    needs="network tokenizer head",
    why="A row that is used but gets no gradient keeps its first value. It stays zero if the model takes it for "
    "padding.",
    fix="Find out which id or position the row belongs to, and which one the configuration calls padding.",
    unless="C08 C09 C10 C15 C16 C30 C48 C38",
)
def frozen_rows(subject: Subject) -> Iterator[str]:
    """Run words and special tokens forwards and backwards, and look for used rows without gradient."""
    network = subject.network
    assert network is not None and subject.tokenizer is not None
    pad = subject.role("pad")
    special = [
        i for i in map(subject.role, ("bos", "eos", "cls", "sep", "mask")) if i is not None and i != pad
    ]
    ids = network.ids(2, 16)
    special = [i for i in dict.fromkeys(special) if i < network.rows][:8]
    ids[0, : len(special)] = torch.tensor(special, dtype=torch.long)
    for name, rows in _without_gradient(network, ids).items():
        shown = [str(i) for i in rows[:5]]
        yield f"{name}: {len(rows)} rows that the batch uses get no gradient: {', '.join(shown)}"


def _without_gradient(network: Network, ids: torch.Tensor) -> dict[str, list[int]]:
    """Give, by embedding, the rows that were looked up and whose gradient is zero; the model stays as it was."""
    module: Any = network.module
    used: dict[str, set[int]] = {}
    weights: dict[str, torch.Tensor] = {}
    hooks = []
    for name, one in module.named_modules():
        # Subclasses may look up other rows than they are given: BART's positions add 2.
        if type(one) is nn.Embedding and one.weight.requires_grad:
            used[name], weights[name] = set(), one.weight

            def note(_: nn.Module, given: Any, __: Any, name: str = name) -> None:
                used[name].update(given[0].flatten().tolist())

            hooks.append(one.register_forward_hook(note))
    modes = {one: one.training for one in module.modules()}
    module.eval()
    try:
        with torch.enable_grad():
            outputs = [view.run(ids.to(network.device), None) for view in network.views()]
            # A random direction: no gradient vanishes by symmetry.
            generator = torch.Generator().manual_seed(0)
            total = sum(
                (out.float().cpu() * torch.randn(out.shape, generator=generator)).sum() for out in outputs
            )
            named = {name: weight for name, weight in weights.items() if used[name]}
            if not named:
                return {}
            gradients = torch.autograd.grad(total, list(named.values()), allow_unused=True)  # type: ignore[arg-type]
    finally:
        for hook in hooks:
            hook.remove()
        for one, mode in modes.items():
            one.training = mode
    dead = {}
    for (name, _), gradient in zip(named.items(), gradients, strict=True):
        rows = (
            sorted(used[name])
            if gradient is None
            else [i for i in sorted(used[name]) if not gradient[i].any()]
        )
        if rows:
            dead[name] = rows
    return dead


def first_batch_loss(subject: Subject) -> float | None:
    """Compute a Hugging Face model's own loss on some rows of the batch."""
    batch, network = subject.learning_batch, subject.network
    if batch is None or network is None or "labels" not in network.takes:
        return None
    known = {key: value[:4].to(network.device) for key, value in batch.items() if key in network.takes}
    modes = {one: one.training for one in network.module.modules()}
    network.module.eval()
    try:
        with torch.no_grad():
            outputs = network.module(**known)
            loss, logits = outputs.loss, getattr(outputs, "logits", None)
            if logits is not None and logits.shape[-1] != network.rows:  # it doesn't predict words
                return None
            if loss is None and network.head == "masked":  # models for pairs need the other label as well
                logits = getattr(outputs, "prediction_logits", None)
                loss = (
                    None
                    if logits is None
                    else nn.functional.cross_entropy(logits.flatten(0, 1), known["labels"].flatten())
                )
        return None if loss is None else float(loss)
    finally:
        for one, mode in modes.items():
            one.training = mode
