"""Filling in as many rounds as there are vectors is filling one by one: in logits and in gradients."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from transformers import PreTrainedModel

from hornbook.dense_tokens import DenseModel, DenseOptions, Gradient, Layout

ROWS, DENSE = 30, 29
KINDS = ("gpt_neox", "gpt_neo", "gpt2", "llama", "qwen3")
EXACT = 1e-12


def batch() -> tuple[Tensor, Tensor, Tensor]:
    """Ragged rows: padded on the left, on the right, packed documents, one that begins with a dense token."""
    rng = torch.Generator().manual_seed(1)
    ids = torch.randint(0, 26, (5, 20), generator=rng)
    ids[torch.rand(ids.shape, generator=rng) < 0.3] = DENSE
    ids[3, :2] = DENSE
    real = torch.ones_like(ids, dtype=torch.bool)
    real[0, :4], real[1, 15:] = False, False
    documents = torch.zeros_like(ids)
    documents[2, 7:], documents[2, 13:] = 1, 2
    return ids, real, documents


def outcome(
    dense: DenseModel, ids: Tensor, layout: Layout, rounds: int | None, gradient: Gradient
) -> tuple[Tensor, Tensor]:
    """Logits at real places, and the gradient of a sum that every one of them matters to."""
    dense.zero_grad()
    filled = dense(ids, layout, rounds, gradient)
    logits = filled.head(filled.hidden)[layout.real]
    logits.sin().sum().backward()
    grads = [torch.zeros_like(one) if one.grad is None else one.grad for one in dense.parameters()]
    return logits.detach(), torch.cat([grad.flatten() for grad in grads])


def gradient_of(dense: DenseModel, rounds: int | None = None, **options: float) -> Tensor:
    ids, real, documents = batch()
    return outcome(dense, ids, dense.layout(ids, real, documents), rounds, Gradient(**options))[1]


def far(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max() / other.abs().max())


@pytest.mark.usefixtures("in_double")
@pytest.mark.parametrize("share", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_rounds_equal_one_by_one(kind: str, share: bool, model: Callable[..., PreTrainedModel]) -> None:
    dense = DenseModel(model(kind).double(), DENSE, DenseOptions(share_positions=share))
    ids, real, documents = batch()
    layout = dense.layout(ids, real, documents)
    logits, grads = outcome(dense, ids, layout, None, Gradient())
    for rounds in (layout.rounds, layout.rounds + 1):
        others = outcome(dense, ids, layout, rounds, Gradient())
        assert far(others[0], logits) < EXACT
        assert far(others[1], grads) < EXACT
    # The last round matters, and the first ones much.
    for rounds, least in ((layout.rounds - 1, 100 * EXACT), (1, 1e-3)):
        fewer = outcome(dense, ids, layout, rounds, Gradient())
        assert far(fewer[0], logits) > least and far(fewer[1], grads) > least


@pytest.mark.usefixtures("in_double")
@pytest.mark.parametrize("vector", ["raw", "soft"])
def test_other_vectors_too(vector: str, model: Callable[..., PreTrainedModel]) -> None:
    dense = DenseModel(model("gpt_neox").double(), DENSE, DenseOptions(vector=vector))
    ids, real, documents = batch()
    layout = dense.layout(ids, real, documents)
    one = outcome(dense, ids, layout, None, Gradient())
    other = outcome(dense, ids, layout, layout.rounds, Gradient())
    assert far(other[0], one[0]) < EXACT and far(other[1], one[1]) < EXACT


@pytest.mark.usefixtures("in_double")
@pytest.mark.parametrize("kind", KINDS)
def test_against_a_loop_that_knows_nothing_of_batches(
    kind: str, model: Callable[..., PreTrainedModel]
) -> None:
    """Each document alone, without mask, cache or padding, the whole of it read again for each dense token."""
    plain = model(kind).double()
    dense = DenseModel(plain, DENSE)
    ids, real, documents = batch()
    layout = dense.layout(ids, real, documents)
    with torch.no_grad():
        filled = dense(ids, layout)
        found = filled.head(filled.hidden)
        table = plain.get_input_embeddings().weight
        for row in range(len(ids)):
            for document in documents[row].unique():
                columns = ((documents[row] == document) & real[row]).nonzero().squeeze(1)
                words = table[ids[row, columns]].clone()
                is_dense = ids[row, columns] == DENSE
                positions = ((~is_dense).cumsum(0) - 1).clamp(min=0)[None]
                blank = torch.zeros(1, 1, len(columns), len(columns), dtype=torch.float64)
                mask = blank.masked_fill(
                    torch.ones_like(blank).triu(1).bool(), torch.finfo(torch.float64).min
                )
                for place in [*is_dense.nonzero().squeeze(1).tolist(), len(columns)]:
                    hidden = plain.base_model(
                        inputs_embeds=words[None],
                        position_ids=positions,
                        attention_mask=mask,
                        use_cache=False,
                    ).last_hidden_state[0]
                    if 0 < place < len(columns):
                        state = hidden[place - 1]
                        words[place] = (
                            table[DENSE]
                            + state * table.pow(2).mean().sqrt() / (state.pow(2).mean() + 1e-6).sqrt()
                        )
                logits = plain.get_output_embeddings()(hidden)
                assert far(found[row, columns], logits) < EXACT


@pytest.mark.parametrize("kind", KINDS)
def test_without_dense_tokens_it_is_the_model(kind: str, model: Callable[..., PreTrainedModel]) -> None:
    plain = model(kind).eval()
    dense = DenseModel(plain, DENSE)
    ids = torch.randint(0, 26, (2, 12), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for rounds in (None, 0, 2):
            filled = dense(ids, rounds=rounds)
            torch.testing.assert_close(filled.head(filled.hidden), plain(ids).logits, atol=2e-5, rtol=1e-4)


@pytest.mark.usefixtures("in_double")
def test_true_gradient_agrees_with_differences(model: Callable[..., PreTrainedModel]) -> None:
    dense = DenseModel(model("gpt_neox").double(), DENSE, DenseOptions(vector="raw"))
    ids, real, documents = batch()
    layout = dense.layout(ids, real, documents)

    def total() -> float:
        with torch.no_grad():
            filled = dense(ids, layout)
            return float(filled.head(filled.hidden)[layout.real].sin().sum())

    grads = outcome(dense, ids, layout, None, Gradient())[1]
    direction = torch.randn(grads.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    values = []
    for size in (1e-6, -1e-6):
        parts = direction.split([one.numel() for one in dense.parameters()])
        with torch.no_grad():
            for one, part in zip(dense.parameters(), parts, strict=True):
                one.add_(size * part.view_as(one))
            values.append(total())
            for one, part in zip(dense.parameters(), parts, strict=True):
                one.sub_(size * part.view_as(one))
    assert (values[0] - values[1]) / 2e-6 == pytest.approx(float(grads @ direction), rel=1e-6)


@pytest.mark.usefixtures("in_double")
@pytest.mark.parametrize("rounds", [None, 5])
def test_producer_and_detached_add_up_to_the_true_gradient(
    rounds: int | None, model: Callable[..., PreTrainedModel]
) -> None:
    dense = DenseModel(model("llama").double(), DENSE)
    whole = gradient_of(dense, rounds)
    parts = gradient_of(dense, rounds, producer_only=True) + gradient_of(dense, rounds, crossings=0)
    assert far(parts, whole) < EXACT


@pytest.mark.usefixtures("in_double")
def test_crossings_and_weight_are_one_series(model: Callable[..., PreTrainedModel]) -> None:
    """The part that crosses exactly k vectors weighs weight ** k."""
    dense = DenseModel(model("gpt2").double(), DENSE)
    ids, real, documents = batch()
    most = dense.layout(ids, real, documents).rounds
    by_crossings = [gradient_of(dense, crossings=k) for k in range(most + 1)]
    assert far(by_crossings[most], gradient_of(dense)) < EXACT
    assert far(gradient_of(dense, rounds=most, crossings=1), by_crossings[1]) < EXACT
    series = by_crossings[0].clone()
    for k in range(1, most + 1):
        series += 0.5**k * (by_crossings[k] - by_crossings[k - 1])
    assert far(series, gradient_of(dense, weight=0.5)) < EXACT
    assert far(gradient_of(dense, weight=0.0), by_crossings[0]) < EXACT
