"""A step in bf16 is the step in fp32, but for the rounding of bf16."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import PretrainedConfig, PreTrainedModel

from hornbook.families import FAMILIES, Family, attention
from hornbook.objectives import IGNORED, Objective
from hornbook.objectives.batch_to_loss import LossModule
from hornbook.objectives.pairs import Pairs
from hornbook.recipe import Recipe
from hornbook.reporter import Reporter
from hornbook.training.batches import Batches
from hornbook.training.phases import plan_phases
from hornbook.training.prepare import prepare
from tests.training.cases import model_of, objectives_of

UNIT = 2**-8
"""bf16 keeps 8 bits of a number: what is rounded moves by this share of it at most."""
LAYER, CROSS, HEAD = 15, 9, 6
"""Roundings that follow each other in a forward pass. Attention: a projection's input, weight and result, the scaling,
the scores, the weights, what they mix, the output's weight and result. Feed-forward: the first product's input, weight
and result, the activation, the second's weight and result. Head: input, weight and result of its own layer and of the
vocabulary's. Normalisations, residuals, the last softmax and the loss are in fp32."""
PUBLISHED_LABELS = {"bert": "next_sentence_label"}
"""What a class that judges pairs calls their label; the others' is sentence_order_label."""

Gradients = dict[str, Tensor]


def roundings(config: PretrainedConfig) -> int:
    """Count the roundings on the longest path of a forward pass."""
    layers, crossed = config.num_hidden_layers, 0
    if config.is_encoder_decoder:
        layers, crossed = layers + config.num_decoder_layers, config.num_decoder_layers
    return LAYER * layers + CROSS * crossed + HEAD


def every_case() -> Iterator[Any]:
    for family in FAMILIES.values():
        for objective in objectives_of(family):
            if objective == "replaced_tokens":  # what is drawn from rounded chances may be another word
                continue
            yield pytest.param(family, objective, id=f"{family.name}-{objective}")


def learn(
    family: Family, objective: Objective, model: PreTrainedModel, batch: dict[str, Tensor], bf16: bool
) -> tuple[float, Gradients]:
    """Give the loss and the gradients of a step."""
    model.zero_grad()
    sums, counts = LossModule(family, objective, model, bf16)(batch)
    loss = (sums / counts * torch.tensor(list(objective.terms.values()))).sum()
    loss.backward()
    return loss.item(), gradients_of(model)


def learn_plainly(
    family: Family,
    objective: Objective,
    config: PretrainedConfig,
    weights: Gradients,
    batch: dict[str, Tensor],
) -> Gradients:
    """Give the gradients of Hugging Face's own class, with nothing replaced, under autocast."""
    plain = family.construct(config, objective.head).train()
    plain.load_state_dict(weights)
    assert plain.config._attn_implementation != attention.NAME
    label = PUBLISHED_LABELS.get(family.name, "sentence_order_label")
    given = {label if key.endswith("_label") else key: value for key, value in batch.items()}
    with torch.autocast("cpu", torch.bfloat16):
        loss = plain(**given, **family.arguments).loss
    loss.backward()
    return gradients_of(plain)


def gradients_of(model: PreTrainedModel) -> Gradients:
    return {name: one.grad.clone() for name, one in model.named_parameters() if one.grad is not None}


def distance(found: Gradients, expected: Gradients, *parts: str) -> float:
    """Measure how far gradients are apart, as a share of their length: all, or those of parameters so named."""
    chosen = [name for name in expected if not parts or any(part in name for part in parts)]
    apart, length = (
        torch.stack([one.norm() for one in many]).norm()
        for many in ([found[name] - expected[name] for name in chosen], [expected[name] for name in chosen])
    )
    return float(apart / length)


@torch.no_grad()
def loss_bound(
    family: Family, objective: Objective, model: PreTrainedModel, batch: dict[str, Tensor]
) -> float:
    """Bound how far rounding moves the loss; see the test."""
    given = {key: value for key, value in batch.items() if not key.endswith("_label")}
    hidden = family.hidden(model, given)
    several = [family.logits(model, hidden[objective.targets(batch["labels"]) != IGNORED])]
    if isinstance(objective, Pairs):
        several.append(family.pair_logits(model, hidden))
    return sum(
        2 * UNIT * math.sqrt(roundings(model.config) / len(logits)) * float(logits.square().mean().sqrt())
        for logits in several
    )


@pytest.mark.parametrize(("family", "name"), every_case())
def test_loss_and_gradients_agree_with_fp32(
    family: Family, name: str, recipe_of: Callable[..., Recipe]
) -> None:
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
    at most twice as far from fp32 as its are.
    """
    recipe = recipe_of(model_of(family, dropout=0.0), name, batch=8)
    run, objective = prepare(recipe, Reporter(silent=True)), recipe.objective
    model = family.build(run.config, objective.head, seed=0).train()
    batch = Batches(run.train, plan_phases(recipe, run.train), objective, run.vocabulary)[0][0]
    loss, exact = learn(family, objective, model, batch, bf16=False)
    rounded, found = learn(family, objective, model, batch, bf16=True)
    assert all(one.dtype == torch.float32 for one in found.values())
    theirs = learn_plainly(family, objective, run.config, model.state_dict(), batch)

    room = loss_bound(family, objective, model, batch)
    bound = math.sqrt(2 * roundings(model.config)) * UNIT
    queries = ("query", "key", "q_proj", "k_proj", "Attention.q", "Attention.k", "c_attn")
    ours, plain = ([distance(one, exact, *some) for some in ((), queries)] for one in (found, theirs))
    print(
        f"{family.name} {name}: loss {rounded - loss:+.1e}, bound {room:.1e}; gradients {ours[0] / UNIT:.2f} u, bound "
        f"{bound / UNIT:.2f} u, Hugging Face {plain[0] / UNIT:.2f} u; queries and keys {ours[1] / UNIT:.2f} u, Hugging "
        f"Face {plain[1] / UNIT:.2f} u"
    )
    assert rounded != loss  # it was in bf16
    assert abs(rounded - loss) <= room
    assert ours[0] <= bound
    assert ours[0] <= 2 * plain[0] and ours[1] <= 2 * plain[1]
