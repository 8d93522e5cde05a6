"""The fused attention of GPT-Neo against the class's own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM, GPTNeoForCausalLM
from transformers.models.gpt_neo.modeling_gpt_neo import GPTNeoSelfAttention

from hornbook.families import attention
from hornbook.families.gpt_neo import FusedAttention

Shrink = Callable[..., Any]
LENGTH = 24


def masks() -> dict[str, Tensor | None]:
    """Make padding masks of three sequences, with places that see only padding in their window."""
    places, lengths = torch.arange(LENGTH), torch.tensor([LENGTH, 15, 4])[:, None]
    return {
        "none": None,
        "full": torch.ones(3, LENGTH, dtype=torch.long),
        "right": (places < lengths).long(),
        "left": (places >= LENGTH - lengths).long(),
    }


@pytest.mark.parametrize("padding", masks())
@pytest.mark.parametrize("window", [1, 8, 23, 24, 99])
def test_logits_and_gradients_equal_the_eager_class(window: int, padding: str, shrink: Shrink) -> None:
    small = shrink("tinystories-1m", num_layers=3, num_heads=4, window_size=window)
    ours = small.family.build(small.config, "causal", seed=0)
    eager = GPTNeoForCausalLM(small.config).train()
    eager.load_state_dict(ours.state_dict())
    assert type(eager.transformer.h[0].attn.attention) is GPTNeoSelfAttention
    # Larger weights than a new model's, so that attention is far from uniform.
    for model in (ours, eager):
        for block in model.transformer.h:
            block.attn.attention.q_proj.weight.data.mul_(20)
            block.attn.attention.k_proj.weight.data.mul_(20)

    mask = masks()[padding]
    ids = torch.randint(10, 100, (3, LENGTH), generator=torch.Generator().manual_seed(1))
    seen = torch.ones_like(ids) if mask is None else mask
    batch = {"input_ids": ids} if mask is None else {"input_ids": ids, "attention_mask": mask}
    results = []
    for logits, model in [
        (small.family.logits(ours, small.family.hidden(ours, batch)), ours),
        (eager(**batch, use_cache=False).logits, eager),
    ]:
        cross_entropy(logits[seen == 1], ids.roll(-1, dims=1)[seen == 1]).backward()
        results.append((logits[seen == 1], [parameter.grad for parameter in model.parameters()]))
    (logits, gradients), (their_logits, their_gradients) = results
    torch.testing.assert_close(logits, their_logits, atol=1e-5, rtol=0)
    torch.testing.assert_close(gradients, their_gradients, atol=1e-5, rtol=0)


@pytest.mark.parametrize("window", [3, 24])
def test_attention_is_its_definition_in_float64(window: int, shrink: Shrink) -> None:
    """The eager class computes its scores in fp32 whatever it is given, so the twin is written out here."""
    small = shrink("tinystories-1m", num_layers=3, num_heads=4, window_size=window)
    for layer in small.family.build(small.config, "causal", seed=0).double().transformer.h[:2]:
        attention = layer.attn.attention
        attention.q_proj.weight.data.mul_(20)
        hidden = torch.randn(2, LENGTH, 32, dtype=torch.float64, requires_grad=True)
        query, key, value = (
            projection(hidden).unflatten(-1, (4, 8))
            for projection in (attention.q_proj, attention.k_proj, attention.v_proj)
        )
        reach = window if attention.attention_type == "local" else LENGTH
        rows = []
        for place in range(LENGTH):
            past = slice(max(0, place - reach + 1), place + 1)
            weights = torch.einsum("bhd,bthd->bht", query[:, place], key[:, past]).softmax(-1)
            rows.append(torch.einsum("bht,bthd->bhd", weights, value[:, past]).flatten(1))
        twin = attention.out_proj(torch.stack(rows, dim=1))
        direction = torch.randn_like(twin)
        ours = attention(hidden)[0]
        (gradient,) = torch.autograd.grad((ours * direction).sum(), hidden)
        (their_gradient,) = torch.autograd.grad((twin * direction).sum(), hidden)
        torch.testing.assert_close(ours, twin, atol=1e-10, rtol=0)
        torch.testing.assert_close(gradient, their_gradient, atol=1e-10, rtol=0)


HALF, SINGLE, DOUBLE = torch.bfloat16, torch.float32, torch.float64


class Cast(nn.Module):
    """A layer whose result comes in another format, as an adapter's may."""

    def __init__(self, layer: nn.Module, number: torch.dtype) -> None:
        super().__init__()
        self.layer, self.number = layer, number

    def forward(self, states: Tensor) -> Tensor:
        return self.layer(states).to(self.number)


@pytest.mark.parametrize("autocast", [True, False])
@pytest.mark.parametrize("kernels", ["own", "torch"])
@pytest.mark.parametrize("mask", [None, torch.bool, HALF, SINGLE])
@pytest.mark.parametrize("value", [HALF, SINGLE])
def test_formats_may_differ(
    value: torch.dtype,
    mask: torch.dtype | None,
    kernels: str,
    autocast: bool,
    shrink: Shrink,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Queries, keys, values and mask: the class's own, under the same autocast, is at most 8 bf16 roundings away."""
    monkeypatch.setattr(attention, "own_kernels", lambda device: kernels == "own")
    # Dropout of next to nothing, so that it is our kernel that computes.
    small = shrink("tinystories-1m", window_size=8, attention_dropout=1e-9 if kernels == "own" else 0.0)
    model = small.family.build(small.config, "causal", seed=0).train()
    lower = torch.ones(1, 1, LENGTH, LENGTH, dtype=torch.bool).tril()
    seen = lower if mask in (None, torch.bool) else torch.zeros(lower.shape, dtype=mask)
    if mask not in (None, torch.bool):
        seen = seen.masked_fill(~lower, torch.finfo(mask).min)
    for layer in model.transformer.h[:2]:
        ours = layer.attn.attention
        ours.q_proj.weight.data.mul_(20)
        ours.v_proj = Cast(ours.v_proj, value)
        if not autocast:
            ours.out_proj = nn.Sequential(Cast(nn.Identity(), SINGLE), ours.out_proj)
        hidden = torch.randn(2, LENGTH, 32, generator=torch.Generator().manual_seed(3)).requires_grad_()
        slope, found = torch.randn(2, LENGTH, 32), []
        for forward in (FusedAttention.forward, GPTNeoSelfAttention.forward):
            given = None if mask is None else seen
            if forward is GPTNeoSelfAttention.forward and given is not None:
                given = torch.where(lower, 0.0, -1e30)
            with torch.autocast("cpu", HALF, enabled=autocast):
                mixed = forward(ours, hidden, given)[0]
            found.append((mixed, *torch.autograd.grad(mixed, hidden, slope.to(mixed.dtype))))
        for one, other in zip(*found, strict=True):
            assert one.dtype == other.dtype
            unit = 2**-8 if autocast or value == HALF else 2**-20
            assert (one - other).float().norm() <= 8 * unit * other.float().norm()


def test_dropout_is_drawn_in_training_and_keeps_the_mean(shrink: Shrink) -> None:
    small = shrink("tinystories-1m", attention_dropout=0.5)
    attention = small.family.build(small.config, "causal", seed=0).transformer.h[1].attn.attention
    attention.v_proj.weight.data.mul_(50)
    torch.manual_seed(0)
    hidden = torch.randn(1, LENGTH, 32)
    with torch.no_grad():
        rng = torch.stack([attention(hidden)[0] for _ in range(1000)])
        attention.eval()
        still = attention(hidden)[0]
        assert torch.equal(still, attention(hidden)[0])
    assert not torch.equal(rng[0], rng[1])
    error = rng.std(dim=0) / 1000**0.5
    assert ((rng.mean(dim=0) - still).abs() < 6 * error + 1e-6).all()


def test_generation_and_attention_weights_are_the_classes_own(shrink: Shrink, tmp_path: Path) -> None:
    small = shrink("tinystories-1m", num_layers=3, num_heads=4)
    ours = small.family.build(small.config, "causal", seed=0).eval()
    ours.save_pretrained(tmp_path)
    eager = AutoModelForCausalLM.from_pretrained(tmp_path)
    prompt, mask = torch.randint(10, 100, (3, 12)), torch.ones(3, 12, dtype=torch.long)
    mask[1, :5] = mask[2, :9] = 0
    for given in (torch.ones_like(mask), mask):
        texts = [
            model.generate(prompt, attention_mask=given, max_length=LENGTH, do_sample=False)
            for model in (ours, eager)
        ]
        assert torch.equal(*texts)
        outputs = [model(prompt, attention_mask=given, output_attentions=True) for model in (ours, eager)]
        assert len(outputs[0].attentions) == 3
        for weights, their_weights in zip(*(output.attentions for output in outputs), strict=True):
            torch.testing.assert_close(weights, their_weights)


def test_the_saved_folder_knows_nothing_of_it(shrink: Shrink, tmp_path: Path) -> None:
    small = shrink("tinystories-1m", num_layers=3, num_heads=4)
    model = small.family.build(small.config, "causal", seed=0)
    eager = GPTNeoForCausalLM(model.config)
    assert isinstance(model.transformer.h[0].attn.attention, FusedAttention)
    assert model.state_dict().keys() == eager.state_dict().keys()
    for saved, folder in ((model, tmp_path / "ours"), (eager, tmp_path / "eager")):
        saved.save_pretrained(folder)
    for name in ("config.json", "generation_config.json"):
        assert (tmp_path / "ours" / name).read_text() == (tmp_path / "eager" / name).read_text()
