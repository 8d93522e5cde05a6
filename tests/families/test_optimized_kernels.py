"""Models with lean modules learn as Hugging Face's own do: what is replaced changes the time alone."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.models.t5.modeling_t5 import T5LayerNorm

from hornbook.families import dropout
from hornbook.families.dropout import Dropout, draw_signs
from hornbook.families.optimized_kernels import Gelu
from hornbook.families.t5 import RMSNorm
from hornbook.machine import forget_kernels
from hornbook.objectives.batch_to_loss import compute_loss
from hornbook.objectives.causal import Causal
from hornbook.objectives.masked import Masked
from hornbook.objectives.span_corruption import SpanCorruption

Shrink = Callable[..., Any]
OBJECTIVES = {"masked": Masked(), "causal": Causal(), "seq2seq": SpanCorruption()}
NO_DROPOUT = {
    "bert-tiny": {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0},
    "roberta-base": {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0},
    "robertalbert": {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0},
    "albert-base-v2": {},
    "tinystories-1m": {},
    "pythia-14m": {},
    "t5-v1.1-tiny": {"dropout_rate": 0.0},
}


def batch_of(step: int, head: str) -> dict[str, Tensor]:
    """Make sequences in which each token follows from the one before, with some hidden."""
    rng = torch.Generator().manual_seed(step)
    ids = torch.randint(10, 40, (8, 1), generator=rng) + torch.arange(16) * 3
    ids = 10 + ids % 30
    if head == "causal":
        return {"input_ids": ids, "labels": ids}
    if head == "seq2seq":
        return {"input_ids": ids, "labels": ids[:, :6].contiguous()}
    hidden = torch.rand(ids.shape, generator=rng) < 0.15
    return {"input_ids": torch.where(hidden, 9, ids), "labels": torch.where(hidden, ids, -100)}


def learn(
    model: PreTrainedModel, head: str, loss: Callable[[dict[str, Tensor]], Tensor], seed: int
) -> Tensor:
    """Give the losses of 200 steps."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    torch.manual_seed(seed)
    losses = []
    for step in range(200):
        nats = loss(batch_of(step, head))
        nats.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(nats.detach())
    return torch.stack(losses)


def trajectories(small: Any, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Train Hugging Face's class and ours from the same weights."""
    head = next(iter(small.family.heads))
    ours = small.family.build(small.config, head, seed=0).train()
    plain = small.family.construct(small.config, head).train()
    plain.load_state_dict(ours.state_dict())
    assert not any(type(module) in (Dropout, RMSNorm) for module in plain.modules())

    def lean_loss(batch: dict[str, Tensor]) -> Tensor:
        sums, counts = compute_loss(small.family, OBJECTIVES[head], ours, batch)
        return (sums / counts).sum()

    def plain_loss(batch: dict[str, Tensor]) -> Tensor:
        return plain(**batch, **small.family.arguments).loss

    return learn(ours, head, lean_loss, seed), learn(plain, head, plain_loss, seed)


LIKE_ANOTHER = ("roberta-base", "albert-base-v2")
"""What is replaced in these is replaced in BERT and RoBERTAlbert too."""


@pytest.mark.long
@pytest.mark.parametrize(
    "preset",
    [pytest.param(one, marks=[pytest.mark.slow] if one in LIKE_ANOTHER else []) for one in NO_DROPOUT],
)
def test_200_steps_are_the_plain_classs(preset: str, shrink: Shrink) -> None:
    apply_optimized_kernels, plain = trajectories(shrink(preset, **NO_DROPOUT[preset]))
    assert plain[-20:].mean() < plain[:5].mean() - 0.5  # it has learnt
    torch.testing.assert_close(apply_optimized_kernels[:5], plain[:5], atol=1e-5, rtol=0)
    torch.testing.assert_close(apply_optimized_kernels, plain, atol=0.02, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["bert-tiny", "t5-v1.1-tiny"])
def test_with_dropout_200_steps_are_within_the_noise(preset: str, shrink: Shrink) -> None:
    """The masks differ, so what is compared is the mean of the last losses, over seeds of dropout."""
    small = shrink(preset)
    ends = torch.tensor([[one[-50:].mean() for one in trajectories(small, seed)] for seed in range(4)])
    apply_optimized_kernels, plain = ends.unbind(1)
    noise = (apply_optimized_kernels.var() + plain.var()).div(4).sqrt()
    assert (apply_optimized_kernels.mean() - plain.mean()).abs() < 4 * noise


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.9])
def test_signs_have_the_share_that_is_asked_for(share: float) -> None:
    torch.manual_seed(0)
    signs = draw_signs(torch.empty(1000, 999), share)
    assert signs.shape == (1000, 999)
    assert signs.abs().min() >= 0.5
    below = (signs < 0).double()
    assert below.mean().item() == pytest.approx(
        share, abs=4 * (share * (1 - share) / 999_000) ** 0.5 + 2**-17
    )
    # Neighbours know nothing of each other, within a word of the generator or beyond.
    for distance in (1, 2, 3, 4, 999):
        flat = below.flatten() - share
        assert (flat[distance:] * flat[:-distance]).mean().abs() < 4 * share * (1 - share) / 999_000**0.5
    torch.manual_seed(0)
    assert torch.equal(signs, draw_signs(torch.empty(1000, 999), share))


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_keeps_the_mean(p: float) -> None:
    torch.manual_seed(0)
    ones = torch.ones(400, 500, requires_grad=True)
    dropped = Dropout(p)(ones)
    assert set(dropped.mul(1 - p).round(decimals=5).unique().tolist()) == {0.0, 1.0}
    assert dropped.mean().item() == pytest.approx(1, abs=5 * (p / (1 - p) / 200_000) ** 0.5)
    dropped.sum().backward()
    assert torch.equal(ones.grad, dropped)
    assert Dropout(p).eval()(ones) is ones


@pytest.mark.parametrize("spread", [0.01, 1.0, 30.0])
def test_gelu_without_a_gradient_is_as_near_as_pytorchs(spread: float) -> None:
    torch.manual_seed(0)
    given = torch.randn(100_000) * spread
    wide = given.double()
    exact = 0.5 * wide * (1 + torch.tanh((2 / math.pi) ** 0.5 * (wide + 0.044715 * wide**3)))
    with torch.no_grad():
        found, theirs = (form(approximate="tanh")(given) for form in (Gelu, nn.GELU))
    error, known = ((one.double() - exact).abs().max() for one in (found, theirs))
    assert error <= 2 * known
    assert not torch.equal(found, theirs)  # or this would ask nothing of ours


def test_gelu_with_a_gradient_is_pytorchs() -> None:
    """A step of training stays the same to the bit."""
    given = torch.randn(1000, requires_grad=True)
    assert torch.equal(Gelu(approximate="tanh")(given), nn.GELU(approximate="tanh")(given))


def test_t5s_normalisation_is_its_classs() -> None:
    torch.manual_seed(0)
    plain = T5LayerNorm(24)
    nn.init.normal_(plain.weight)
    apply_optimized_kernels = RMSNorm(24)
    apply_optimized_kernels.load_state_dict(plain.state_dict())
    given = torch.randn(3, 5, 24) * 7
    found = []
    for norm in (plain, apply_optimized_kernels):
        hidden = given.clone().requires_grad_()
        normed = norm(hidden)
        (normed * torch.arange(24)).sum().backward()
        found.append((normed, hidden.grad, norm.weight.grad))
    torch.testing.assert_close(*found, atol=1e-4, rtol=1e-5)


HALF, SINGLE, DOUBLE = torch.bfloat16, torch.float32, torch.float64
UNITS = {HALF: 2**-8, SINGLE: 2**-24, DOUBLE: 2**-53}
"""The unit roundoff of each format."""


@pytest.mark.parametrize("autocast", [True, False])
@pytest.mark.parametrize("weight", [HALF, SINGLE, DOUBLE])
@pytest.mark.parametrize("hidden", [HALF, SINGLE, DOUBLE])
def test_t5s_normalisation_takes_any_formats(
    hidden: torch.dtype, weight: torch.dtype, autocast: bool
) -> None:
    """Its format is its class's; value and gradients are those of the definition in fp64, to 8 roundings.

    The class takes the mean in fp32, also of fp64, so that where the formats differ no bound is below fp32's.
    """
    torch.manual_seed(0)
    apply_optimized_kernels, plain = RMSNorm(24), T5LayerNorm(24)
    apply_optimized_kernels.weight = nn.Parameter(torch.randn(24).to(weight))
    plain.weight = apply_optimized_kernels.weight
    given = (torch.randn(6, 5, 24) * 7).to(hidden).requires_grad_()
    exact = [one.detach().double().requires_grad_() for one in (given, apply_optimized_kernels.weight)]
    with torch.autocast("cpu", HALF, enabled=autocast):
        normed = apply_optimized_kernels(given)
        assert normed.dtype == plain(given).dtype
    right = exact[0] * (exact[0].square().mean(-1, keepdim=True) + 1e-6).rsqrt() * exact[1]
    slope = torch.randn(6, 5, 24).to(normed.dtype)
    with torch.autocast("cpu", HALF, enabled=not autocast):
        found = torch.autograd.grad(normed, (given, apply_optimized_kernels.weight), slope)
    expected = torch.autograd.grad(right, exact, slope.double())
    assert [one.dtype for one in found] == [hidden, weight]
    narrowest = max(UNITS[hidden], UNITS[weight], 0 if hidden == weight else UNITS[SINGLE])
    for mine, theirs in zip((normed, *found), (right, *expected), strict=True):
        assert (mine.double() - theirs).norm() <= 8 * narrowest * theirs.norm()


def test_in_bf16_t5s_normalisation_is_its_class_bit_for_bit() -> None:
    """In passes of its own, each rounded to bf16, it would be several times as far from the truth."""
    torch.manual_seed(0)
    apply_optimized_kernels, plain = RMSNorm(24).to(HALF), T5LayerNorm(24).to(HALF)
    hidden = torch.randn(6, 5, 24).to(HALF)
    assert torch.equal(apply_optimized_kernels(hidden), plain(hidden))


@pytest.mark.parametrize("autocast", [True, False])
@pytest.mark.parametrize("number", [HALF, SINGLE, DOUBLE])
@pytest.mark.parametrize("kernels", ["own", "torch"])
def test_dropout_keeps_the_format(
    kernels: str, number: torch.dtype, autocast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It scales as PyTorch's does, and its gradient has the format of what it was given."""
    monkeypatch.setattr(dropout, "own_kernels", lambda device: kernels == "own")
    torch.manual_seed(0)
    ones = torch.ones(400, 500, dtype=number, requires_grad=True)
    with torch.autocast("cpu", HALF, enabled=autocast):
        dropped, plain = Dropout(0.1)(ones), nn.functional.dropout(ones, 0.1)
    assert dropped.dtype == number
    scales = [set(one.unique().tolist()) for one in (dropped, plain)]
    assert len(scales[0]) == 2
    assert sorted(scales[0]) == pytest.approx(sorted(scales[1]), rel=2 * UNITS[number])
    assert (dropped == 0).double().mean().item() == pytest.approx(0.1, abs=5 * (0.09 / 200_000) ** 0.5)
    dropped.sum().backward()
    assert ones.grad.dtype == number and torch.equal(ones.grad, dropped)


@pytest.mark.parametrize("preset", NO_DROPOUT)
def test_without_dropout_both_kernels_give_the_same(
    preset: str, shrink: Shrink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a GPU computes with, PyTorch's kernels, and what a processor does, ours: loss and gradients agree."""
    small = shrink(preset, **NO_DROPOUT[preset])
    found = []
    for kernels in ("own", "torch"):
        monkeypatch.setenv("HORNBOOK_KERNELS", kernels)
        forget_kernels()
        model = small.family.build(small.config, small.head, seed=0).train()
        sums, counts = compute_loss(small.family, OBJECTIVES[small.head], model, small.batch())
        (sums / counts).sum().backward()
        found.append((sums, {name: one.grad for name, one in model.named_parameters()}))
    monkeypatch.undo()
    forget_kernels()
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-5)
