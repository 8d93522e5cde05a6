"""The loss and its gradients are those of Hugging Face's own class, in fp32 and, to its rounding, in bf16."""

import math
from pathlib import Path

import torch
from torch import Tensor
from transformers import PretrainedConfig, PreTrainedModel

from hornbook.objectives import IGNORED
from hornbook.objectives.batch_to_loss import LossModule, compute_loss
from hornbook.testing.case import Case

UNIT = 2**-8
"""bf16 keeps 8 bits of a number: what is rounded moves by this share of it at most."""
LAYER, CROSS, HEAD = 15, 9, 6
"""Roundings that follow each other in a forward pass. Attention: a projection's input, weight and result, the scaling,
the scores, the weights, what they mix, the output's weight and result. Feed-forward: the first product's input, weight
and result, the activation, the second's weight and result. Head: input, weight and result of its own layer and of the
vocabulary's. Normalisations, residuals, the last softmax and the loss are in fp32."""
QUERIES = ("query", "key", "q_proj", "k_proj", "Attention.q", "Attention.k", "c_attn")
"""Parameters whose gradients the attention's softmax decides, by parts of their names."""

Gradients = dict[str, Tensor]


def loss_and_gradients(case: Case, folder: Path) -> None:
    """The objective's loss of a batch and its gradients are those of the class, with nothing of ours in it."""
    model, batch = case.model().eval(), case.batch()
    theirs, expected = _class_step(case, model, batch)
    sums, counts = compute_loss(case.family, case.objective, model, batch)
    ours = case.learned_loss(sums / counts)
    ours.backward()
    case.require(
        counts.tolist() == case.objective.counts(batch).tolist(),
        f"loss counts {counts.tolist()} labels, and counts() of the same batch {case.objective.counts(batch).tolist()}",
    )
    scale = max(1.0, abs(theirs))
    case.require(
        abs(ours.item() - theirs) <= 1e-5 * scale,
        f"the loss is {ours.item():.6f}, and that of Hugging Face's {type(model).__name__} {theirs:.6f} on one batch",
    )
    found = gradients_of(model)
    case.require(
        found.keys() == expected.keys(),
        f"{sorted(found.keys() ^ expected.keys())} get a gradient from one of ours and the class, and not the other",
    )
    for name, gradient in expected.items():
        apart = float((found[name] - gradient).abs().max())
        case.require(
            torch.allclose(found[name], gradient, atol=1e-5 * scale, rtol=1e-4),
            f"the gradient of {name} is off by up to {apart:.1e} from that of Hugging Face's {type(model).__name__}",
        )


def bf16(case: Case, folder: Path) -> None:
    """The same weights and the same batch, without dropout: loss and gradients differ by bf16's rounding alone.

    Each rounding moves a result by up to u = 2^-8 of its length, independently of the others, so that n of them that
    follow each other move it by sqrt(n) u (Higham and Mary, 2019, "A new approach to probabilistic rounding error
    analysis"), as long as what lies between enlarges no error; in a model that was just made nothing does. In a forward
    pass n is 15 for each layer, 9 for each attention to an encoder, and 6 for the head. A gradient has the backward
    pass behind it too, which rounds as often: it is off by at most sqrt(2 n) u of its length.

    Each logit is off by at most sqrt(n) u of its size. A label's loss moves with its own logit and with the mean of
    all: by at most 2 sqrt(n) u of their root mean square. The loss is a mean over N labels, whose errors are
    independent: 2 sqrt(n / N) u of that size, for each of its terms.

    Such bounds leave room, so the length is also compared with Hugging Face's own class under autocast, which rounds
    at the same places: all gradients, and those of queries and keys alone, which the attention's softmax decides, are
    at most twice as far from fp32 as its are. A head of its own isn't asked: what it computes between its two ends may
    jump, as where a word is drawn from rounded chances.
    """
    if not case.predicts_words:
        return
    model, batch = case.model().train(), case.batch()
    loss, exact = _step(case, model, batch, rounded=False)
    rounded, found = _step(case, model, batch, rounded=True)
    with torch.autocast("cpu", torch.bfloat16):
        _, theirs = _class_step(case, model, batch)
    case.require(
        all(one.dtype == torch.float32 for one in found.values()),
        "some gradients under autocast aren't in fp32",
    )
    case.require(
        rounded != loss, f"the loss under autocast is that in fp32, {loss}, as if nothing were in bf16"
    )
    room = _loss_bound(case, model, batch)
    case.require(
        abs(rounded - loss) <= room,
        f"the loss is {rounded:.5f} in bf16, {loss:.5f} in fp32, more than {room:.1e} away",
    )
    bound = math.sqrt(2 * roundings(model.config)) * UNIT
    for what, parts in (("the gradients", ()), ("the gradients of queries and keys", QUERIES)):
        ours, plain = distance(found, exact, *parts), distance(theirs, exact, *parts)
        limit = min(2 * plain, bound) if not parts else 2 * plain
        case.require(
            ours <= limit,
            f"{what} are {ours / UNIT:.2f} roundings of bf16 off in bf16; those of Hugging Face's class are "
            f"{plain / UNIT:.2f} off, and at most {limit / UNIT:.2f} are allowed",
        )


def _step(case: Case, model: PreTrainedModel, batch: Gradients, rounded: bool) -> tuple[float, Gradients]:
    """Give loss and gradients as the training loop computes them."""
    model.zero_grad()
    sums, counts = LossModule(case.family, case.objective, model, rounded)(batch)
    loss = case.learned_loss(sums / counts)
    loss.backward()
    return loss.item(), gradients_of(model)


def _class_step(case: Case, model: PreTrainedModel, batch: Gradients) -> tuple[float, Gradients]:
    """Give loss and gradients of Hugging Face's own class with the same weights."""
    plain = case.plain(model)
    loss = case.learned_loss(case.class_loss(plain, batch))
    loss.backward()
    return loss.item(), gradients_of(plain)


def gradients_of(model: PreTrainedModel) -> Gradients:
    """Copy the gradients of the parameters that have one, by name."""
    return {name: one.grad.clone() for name, one in model.named_parameters() if one.grad is not None}


def distance(found: Gradients, expected: Gradients, *parts: str) -> float:
    """Measure how far gradients are apart, as a share of their length: all, or those of parameters so named."""
    chosen = [name for name in expected if not parts or any(part in name for part in parts)]
    if not chosen:
        return 0.0
    apart, length = (
        torch.stack([one.norm() for one in many]).norm()
        for many in ([found[name] - expected[name] for name in chosen], [expected[name] for name in chosen])
    )
    return float(apart / length)


def roundings(config: PretrainedConfig) -> int:
    """Count the roundings on the longest path of a forward pass."""
    layers, crossed = config.num_hidden_layers, 0
    if config.is_encoder_decoder:
        layers, crossed = layers + config.num_decoder_layers, config.num_decoder_layers
    return LAYER * layers + CROSS * crossed + HEAD


@torch.no_grad()
def _loss_bound(case: Case, model: PreTrainedModel, batch: Gradients) -> float:
    """Bound how far rounding moves the loss."""
    family, objective = case.family, case.objective
    given = {key: value for key, value in batch.items() if not key.endswith("_label")}
    hidden = family.hidden(model, given)
    several = [family.logits(model, hidden[objective.targets(batch["labels"]) != IGNORED])]
    if objective.head == "pairs":
        several.append(family.pair_logits(model, hidden))
    return sum(
        2 * UNIT * math.sqrt(roundings(model.config) / len(logits)) * float(logits.square().mean().sqrt())
        for logits in several
    )
