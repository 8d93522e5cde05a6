"""Replaced-token detection against Hugging Face's two classes, given the same words; and how the words are drawn."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import ElectraForMaskedLM, ElectraForPreTraining, PreTrainedTokenizerFast

from hornbook.families import find
from hornbook.objectives import IGNORED, OBJECTIVES, Vocabulary
from hornbook.objectives.batch_to_loss import compute_loss
from hornbook.objectives.replaced_tokens import draw
from hornbook.rng import CounterRNG

FAMILY = find("electra-small")
LENGTH, ROWS = 32, 12


@pytest.fixture
def model(tokenizer: PreTrainedTokenizerFast) -> Any:
    config = FAMILY.configure("electra-small", tokenizer, LENGTH, FAMILY.tiny)
    model = FAMILY.build(config, "detection", seed=0).eval()
    for weight in model.parameters():  # far from the beginning, where all words are equally likely
        weight.data.mul_(4)
    return model


def batch_of(
    tokenizer: PreTrainedTokenizerFast, rows: range = range(ROWS), **options: Any
) -> dict[str, Tensor]:
    vocabulary, objective = Vocabulary.of(tokenizer), OBJECTIVES["replaced_tokens"](**options)
    windows = np.random.default_rng(0).choice(vocabulary.words, (ROWS, objective.window(LENGTH)))
    rng = CounterRNG(0, 0, np.array(rows))
    arrays = objective.batch(windows[list(rows)], vocabulary, rng)
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def drawn(generator: ElectraForMaskedLM, batch: dict[str, Tensor]) -> Tensor:
    """Fill the hidden places, one after the other, by walking along the chances."""
    given = {name: batch[name] for name in ("input_ids", "attention_mask") if name in batch}
    with torch.no_grad():
        chances = generator(**given).logits.double().softmax(-1)
    text = batch["input_ids"].clone()
    for row, place in (batch["labels"] != IGNORED).nonzero().tolist():
        left, word = int(batch["draws"][row, place]) / 2**23, 0
        while left >= float(chances[row, place, word]):
            left -= float(chances[row, place, word])
            word += 1
        text[row, place] = word
    return text


@pytest.mark.parametrize("options", [{"short": 0.5}, {"short": 0.0}, {"rate": 0.5, "random": 0.1}])
def test_losses_and_gradients_are_hugging_faces(
    options: dict[str, Any], model: Any, tokenizer: PreTrainedTokenizerFast
) -> None:
    batch, objective = batch_of(tokenizer, **options), OBJECTIVES["replaced_tokens"](**options)
    sums, counts = compute_loss(FAMILY, objective, model, batch)
    means = sums / counts
    (means * torch.tensor(list(objective.terms.values()))).sum().backward()
    assert counts.tolist() == objective.counts(batch).tolist()

    plain, generator = ElectraForPreTraining(model.config), ElectraForMaskedLM(model.generator.config)
    plain.load_state_dict(
        {name: one for name, one in model.state_dict().items() if not name.startswith("generator.")}
    )
    generator.load_state_dict(model.generator.state_dict())
    plain.eval(), generator.eval()
    mask = {name: batch[name] for name in ("attention_mask",) if name in batch}
    text = drawn(generator, batch)
    original = torch.where(batch["labels"] == IGNORED, batch["input_ids"], batch["labels"])
    hidden = generator(input_ids=batch["input_ids"], labels=batch["labels"], **mask)
    judged = plain(input_ids=text, labels=(text != original).long(), **mask)
    (hidden.loss + 50 * judged.loss).backward()

    assert means[:2].tolist() == pytest.approx([hidden.loss.item(), judged.loss.item()], abs=1e-5)
    real = mask.get("attention_mask", torch.ones_like(text)).bool()
    replaced = (text != original)[real]
    assert 0.02 < replaced.float().mean() < options.get("rate", 0.15) + 0.1
    right = ((judged.logits[real] > 0) == replaced).float().mean().item()
    assert means[2:].tolist() == pytest.approx([right, 1 - replaced.float().mean().item()])
    theirs = dict(plain.named_parameters())
    theirs |= {f"generator.{name}": one for name, one in generator.named_parameters()}
    for name, one in model.named_parameters():
        expected = theirs[name].grad
        if ".embeddings." in name:  # theirs are two
            expected = expected + theirs[f"generator.{name}"].grad
        torch.testing.assert_close(
            one.grad, expected, atol=2e-4, rtol=1e-3, msg=lambda text, n=name: n + text
        )


def test_no_gradient_flows_through_the_drawing(model: Any, tokenizer: PreTrainedTokenizerFast) -> None:
    """Each loss reaches its own model and the embeddings, and nothing of the other."""
    objective, batch = OBJECTIVES["replaced_tokens"](), batch_of(tokenizer)
    names = [name for name, _ in model.named_parameters()]
    for term, own in ((0, True), (1, False)):
        sums, _ = compute_loss(FAMILY, objective, model, batch)
        slopes = torch.autograd.grad(sums[term], list(model.parameters()))
        reached = {name for name, slope in zip(names, slopes, strict=True) if slope.any()}
        alone = {name for name in names if ".embeddings." not in name}
        assert reached >= {"electra.embeddings.word_embeddings.weight"}
        assert {name.startswith("generator.") for name in reached & alone} == {own}
        assert len(reached & alone) > 0.4 * len(alone)


def test_a_word_that_is_the_original_counts_as_original(
    model: Any, tokenizer: PreTrainedTokenizerFast
) -> None:
    batch, objective = batch_of(tokenizer), OBJECTIVES["replaced_tokens"]()
    given = {name: batch[name] for name in ("input_ids", "attention_mask")}
    with torch.no_grad():
        until = model.generator(**given).logits.double().softmax(-1).cumsum(-1)
    known = batch["labels"].clamp(min=0)[..., None]
    above, size = until.gather(-1, known), until.diff(dim=-1, prepend=torch.zeros_like(until[..., :1]))
    batch["draws"] = ((above - size.gather(-1, known) / 2)[..., 0] * 2**23).long()
    sums, counts = compute_loss(FAMILY, objective, model, batch)
    assert sums[3] == counts[3]
    batch["draws"] = (batch["draws"] + 2**22) % 2**23
    sums, counts = compute_loss(FAMILY, objective, model, batch)
    assert counts[3] - counts[0] <= sums[3] < counts[3]


def test_words_are_drawn_as_often_as_they_are_likely() -> None:
    logits = torch.tensor([0.3, -torch.inf, 2.0, -1.0, 0.0, -torch.inf])
    count = 2**14
    numbers = torch.arange(count) * (2**23 // count)
    numbers[-1] = 2**23 - 1
    plain: Any = SimpleNamespace(logits=lambda generator, states: states)
    words = draw(plain, plain, logits.expand(count, -1), numbers)
    found = words.bincount(minlength=6) / count
    torch.testing.assert_close(found, logits.softmax(-1), atol=2 / count, rtol=0)
    assert found[1] == found[5] == 0
    assert draw(plain, plain, logits.expand(0, -1), numbers[:0]).shape == (0,)


def test_drawing_belongs_to_a_place(tokenizer: PreTrainedTokenizerFast) -> None:
    """Whoever makes a part of the batch draws the same; every step and purpose draws anew."""
    whole, part = batch_of(tokenizer), batch_of(tokenizer, range(5, 9))
    assert all(torch.equal(whole[name][5:9], part[name]) for name in whole)
    assert whole["draws"].unique().numel() > 0.99 * whole["draws"].numel()
    assert whole["draws"].min() >= 0 and whole["draws"].max() < 2**23
