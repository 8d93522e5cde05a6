"""Optimizers take the steps of the published ones, and their state goes on where it was left."""

import pytest
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from transformers import (
    BertConfig,
    BertForMaskedLM,
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoConfig,
    GPTNeoForCausalLM,
    PreTrainedModel,
    T5Config,
    T5ForConditionalGeneration,
)
from transformers.optimization import Adafactor

from hornbook.errors import HornbookError
from hornbook.families import find
from hornbook.optimizers import OPTIMIZERS, optimizer_state, restore_optimizers, step_optimizers
from hornbook.optimizers.muon import Muon, orthogonalise
from hornbook.recipe import Training

NAMES = list(OPTIMIZERS)
SIZES = {"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}


def make_optimizers(
    model: PreTrainedModel, training: Training, matrices: tuple[type[nn.Module], ...]
) -> list[Optimizer]:
    return OPTIMIZERS[training.optimizer].make(model, training, matrices)


def bert() -> PreTrainedModel:
    torch.manual_seed(0)
    return BertForMaskedLM(BertConfig(**SIZES, intermediate_size=24, max_position_embeddings=12)).eval()


def gpt_neo() -> PreTrainedModel:
    return GPTNeoForCausalLM(
        GPTNeoConfig(
            vocab_size=40, hidden_size=16, num_layers=1, num_heads=2, attention_types=[[["global"], 1]]
        )
    )


def t5() -> PreTrainedModel:
    return T5ForConditionalGeneration(
        T5Config(vocab_size=40, d_model=16, d_kv=8, d_ff=24, num_layers=1, num_heads=2)
    )


def step_optimizerss(
    model: PreTrainedModel, training: Training, steps: range, state: dict[str, Tensor] | None = None
) -> dict[str, Tensor]:
    optimizers = make_optimizers(model, training, (nn.Linear,))
    if state is not None:
        restore_optimizers(model, optimizers, state)
    for step in steps:
        ids = torch.randint(40, (3, 10), generator=torch.Generator().manual_seed(step))
        model(input_ids=ids, labels=ids).loss.backward()
        step_optimizers(optimizers, training.learning_rate)
    return optimizer_state(model, optimizers)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("make", [bert, gpt_neo, t5])
def test_every_parameter_is_in_one_optimizer(make: object, name: str) -> None:
    model = make()  # type: ignore[operator]
    optimizers = make_optimizers(model, Training(steps=9, optimizer=name), (nn.Linear,))
    held = [one for optimizer in optimizers for group in optimizer.param_groups for one in group["params"]]
    assert len(held) == len(set(held)) and set(held) == set(model.parameters())


@pytest.mark.parametrize("make", [bert, gpt_neo, t5])
def test_muon_takes_matrices_between_hidden_states_alone(make: object) -> None:
    model = make()  # type: ignore[operator]
    _, muon = make_optimizers(model, Training(steps=9, optimizer="muon"), (nn.Linear,))
    held = {one for group in muon.param_groups for one in group["params"]}
    names = {name for name, parameter in model.named_parameters() if parameter in held}
    assert all(parameter.ndim == 2 and 40 not in parameter.shape for parameter in held)
    assert not any("embed" in name or "bias" in name or "norm" in name.lower() for name in names)
    # What is left to AdamW of the matrices are tables: words, positions, segments, relative distances.
    left = {name for name, one in model.named_parameters() if one.ndim == 2 and one not in held}
    assert all(
        any(table in name for table in ("embeddings", "wte", "wpe", "shared", "relative")) for name in left
    )


@pytest.mark.parametrize("shape", [(16, 16), (24, 8), (8, 24)])
def test_muon_is_pytorchs_but_for_bf16(shape: tuple[int, int]) -> None:
    torch.manual_seed(1)
    ours, theirs = (nn.Parameter(torch.ones(shape)) for _ in range(2))
    options = {"lr": 0.02, "weight_decay": 0.1, "adjust_lr_fn": "match_rms_adamw"}
    steppers = Muon([ours], **options), torch.optim.Muon([theirs], **options)  # type: ignore[arg-type]
    for _ in range(5):
        ours.grad = torch.randn(shape)
        theirs.grad = ours.grad.clone()
        for stepper in steppers:
            stepper.step()
    moved = (theirs - 1).norm()
    assert moved > 0.1 and (ours - theirs).norm() < 0.02 * moved


@pytest.mark.parametrize("autocast", [True, False])
@pytest.mark.parametrize("number", [torch.bfloat16, torch.float32, torch.float64])
def test_muon_takes_any_format(number: torch.dtype, autocast: bool) -> None:
    """Its steps are those in fp64, to the rounding of the parameter, with autocast on or off."""
    torch.manual_seed(1)
    ours, exact = nn.Parameter(torch.ones(24, 8, dtype=number)), nn.Parameter(torch.ones(24, 8).double())
    steppers = [Muon([one], lr=0.02, weight_decay=0.1) for one in (ours, exact)]
    unit = {torch.bfloat16: 2**-8, torch.float32: 2**-24, torch.float64: 2**-53}[number]
    for _ in range(5):
        ours.grad = torch.randn(24, 8).to(number)
        exact.grad = ours.grad.double()
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            for stepper in steppers:
                stepper.step()
    state = steppers[0].state[ours]["momentum_buffer"]
    assert ours.dtype == number and state.dtype == torch.promote_types(number, torch.float32)
    # A step rounds the parameter twice, and the decay and the step are small against it.
    assert (ours.double() - exact).abs().max() <= 5 * 2 * unit * exact.abs().max() + 2**-20 * (unit > 2**-53)


@pytest.mark.parametrize("shape", [(16, 16), (24, 8), (8, 24)])
def test_orthogonalise_keeps_singular_vectors_and_levels_singular_values(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(2))
    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    level = left.T @ orthogonalise(matrix, (3.4445, -4.7750, 2.0315), 5) @ right.T
    assert torch.allclose(level, torch.diag(level.diag()), atol=1e-4)
    kept = level.diag()[values > 0.05 * values[0]]
    assert (kept > 0.5).all() and (kept < 1.3).all()


def test_adafactor_is_that_of_transformers() -> None:
    ours, theirs = bert(), bert()
    step_optimizerss(ours, Training(steps=9, optimizer="adafactor"), range(6))
    stepper = Adafactor(
        theirs.parameters(), lr=1e-2, relative_step=False, scale_parameter=True, warmup_init=False
    )
    for step in range(6):
        ids = torch.randint(40, (3, 10), generator=torch.Generator().manual_seed(step))
        theirs(input_ids=ids, labels=ids).loss.backward()
        stepper.step()
        stepper.zero_grad()
    begun = dict(bert().named_parameters())
    for (name, one), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        if "key.bias" in name:  # adds the same to all scores, so that its gradient is rounding errors
            continue
        moved = (other - begun[name]).norm()
        assert (one - other).norm() <= 1e-2 * moved, name


def test_adafactor_begins_at_t5s_rate() -> None:
    assert Training(steps=9, optimizer="adafactor").learning_rate == 1e-2
    assert Training(steps=9, optimizer="adafactor", learning_rate=0.1).learning_rate == 0.1
    assert Training(steps=9).learning_rate == 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_state_goes_on_where_it_was_left(name: str) -> None:
    training = Training(steps=9, optimizer=name)
    whole, parts = bert(), bert()
    step_optimizerss(whole, training, range(6))
    state = step_optimizerss(parts, training, range(3))
    step_optimizerss(parts, training, range(3, 6), {name: tensor.clone() for name, tensor in state.items()})
    for (parameter, one), other in zip(whole.named_parameters(), parts.parameters(), strict=True):
        assert torch.equal(one, other), parameter


def test_muon_takes_the_matrices_that_a_family_declares_and_no_others() -> None:
    """GPT-2's are Conv1D: without a word of it muon would leave all of them to AdamW."""
    family = find("gpt2")
    model = GPT2LMHeadModel(GPT2Config(vocab_size=40, n_embd=16, n_layer=1, n_head=2, n_positions=8))
    _, muon = make_optimizers(model, Training(steps=9, optimizer="muon"), family.matrices)
    [group] = muon.param_groups
    block = model.transformer.h[0]
    matrices = (block.attn.c_attn, block.attn.c_proj, block.mlp.c_fc, block.mlp.c_proj)
    assert {id(one) for one in group["params"]} == {id(layer.weight) for layer in matrices}
    with pytest.raises(
        HornbookError, match=r"c_attn\.weight is a matrix in a Conv1D.*Add Conv1D to `matrices`"
    ):
        make_optimizers(model, Training(steps=9, optimizer="muon"), (nn.Linear,))
