"""Each objective's loss is Hugging Face's own on the same batch, in value and in gradient."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import PreTrainedTokenizerFast

from hornbook.errors import HornbookError
from hornbook.families import find
from hornbook.objectives import OBJECTIVES, Objective, Vocabulary
from hornbook.objectives.causal import Causal
from hornbook.objectives.denoisers import Denoisers
from hornbook.objectives.masked import Masked
from hornbook.objectives.span_corruption import SpanCorruption
from hornbook.rng import CounterRNG
from hornbook.store import TokenStore

SMALL = {
    "bert-tiny": {"num_hidden_layers": 2, "hidden_size": 32, "intermediate_size": 64},
    "roberta-base": {"num_hidden_layers": 2, "hidden_size": 48, "intermediate_size": 64},
    "albert-base-v2": {
        "num_hidden_layers": 2,
        "hidden_size": 48,
        "intermediate_size": 64,
        "embedding_size": 16,
    },
    "robertalbert": {
        "num_hidden_layers": 2,
        "hidden_size": 48,
        "intermediate_size": 64,
        "embedding_size": 16,
    },
    "electra-small": find("electra-small").tiny,
    "tinystories-1m": {"num_layers": 2, "hidden_size": 32, "num_heads": 4},
    "pythia-14m": {"num_hidden_layers": 2, "hidden_size": 32, "intermediate_size": 64},
    "tinyllama-15m": find("tinyllama-15m").tiny,
    "gpt2": find("gpt2").tiny,
    "t5-v1.1-tiny": {"num_layers": 2, "num_decoder_layers": 2, "d_model": 32, "d_ff": 64},
    "t5-small": {"num_layers": 2, "num_decoder_layers": 2, "d_model": 32, "d_ff": 64},
}
WINDOWED: list[Objective] = [
    Masked(),
    Causal(),
    Causal(document_mask=True),
    SpanCorruption(),
    Denoisers(form="encoder-decoder"),
    Denoisers(form="decoder-only"),
]
CASES = [
    pytest.param(preset, objective, id=f"{preset}-{objective.describe():.32}")
    for preset in SMALL
    for objective in WINDOWED
    if objective.head in find(preset).heads
]


@pytest.mark.parametrize(("preset", "objective"), CASES)
def test_loss_and_gradients_are_hugging_faces(
    preset: str, objective: Objective, tokenizer: PreTrainedTokenizerFast
) -> None:
    family, vocabulary = find(preset), Vocabulary.of(tokenizer)
    model = family.build(
        family.configure(preset, tokenizer, 32, SMALL[preset]), objective.head, seed=0
    ).eval()
    windows = np.random.default_rng(0).choice(vocabulary.words, (6, objective.window(32)))
    windows[:, 7] = tokenizer.eos_token_id
    arrays = objective.batch(windows, vocabulary, CounterRNG(0, 0, np.arange(6)))
    batch = {name: torch.from_numpy(array) for name, array in arrays.items()}

    theirs = model(**batch, **family.arguments).loss
    theirs.backward()
    expected = {
        name: parameter.grad.clone()
        for name, parameter in model.named_parameters()
        if parameter.grad is not None
    }
    model.zero_grad()
    total, count = objective.loss(family, model, batch)
    (total / count).backward()

    assert (total / count).item() == pytest.approx(theirs.item(), abs=1e-5)
    found = {
        name: parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None
    }
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(
            found[name], gradient, atol=1e-5, rtol=1e-4, msg=lambda text, name=name: f"{name}: {text}"
        )


LABELS = {"bert-tiny": "next_sentence_label", "albert-base-v2": "sentence_order_label"}
TWO_TYPES = {"robertalbert": {"type_vocab_size": 2}}


@pytest.mark.parametrize("name", ["masked_next_sentence", "masked_sentence_order"])
@pytest.mark.parametrize("preset", ["bert-tiny", "albert-base-v2", "robertalbert"])
def test_the_losses_of_pairs_are_hugging_faces(
    preset: str, name: str, tokenizer: PreTrainedTokenizerFast
) -> None:
    """Both objectives on both classes; a class knows one of the two labels, by its own name for it."""
    family, objective, vocabulary = find(preset), OBJECTIVES[name](), Vocabulary.of(tokenizer)
    values = SMALL[preset] | TWO_TYPES.get(preset, {})
    model = family.build(family.configure(preset, tokenizer, 32, values), "pairs", seed=0).eval()
    random = np.random.default_rng(0)
    tokens = random.choice(vocabulary.words, 400)
    ends = np.array([40, 75, 290, 400])
    tokens[ends - 1] = tokenizer.sep_token_id
    sentences = np.union1d(random.choice(400, 50), [0, *ends[:-1]])
    store = TokenStore(Path(), tokens.astype(np.uint16), ends, np.zeros(4, np.int64), sentences)
    chunking, rows = objective.chunking(store, 32), np.arange(8)
    arrays = objective.read(store, chunking, chunking.starts(rows), vocabulary, CounterRNG(0, 0, rows))
    batch = {key: torch.from_numpy(array) for key, array in arrays.items()}
    assert set(batch["attention_mask"].flatten().tolist()) == {0, 1}

    label = LABELS.get(preset, "sentence_order_label")
    given = {label if key.endswith("_label") else key: value for key, value in batch.items()}
    theirs = model(**given)
    theirs.loss.backward()
    expected = {key: weight.grad.clone() for key, weight in model.named_parameters()}
    model.zero_grad()
    sums, counts = objective.loss(family, model, batch)
    assert counts.tolist() == objective.counts(batch).tolist() == [(batch["labels"] != -100).sum(), 8, 8]
    means = sums / counts
    weights = torch.tensor(list(objective.terms.values()))
    (means * weights).sum().backward()

    assert (means * weights).sum().item() == pytest.approx(theirs.loss.item(), abs=1e-5)
    right = (theirs[2].argmax(-1) == given[label]).float().mean().item()
    assert means[2].item() == pytest.approx(right)
    for key, weight in model.named_parameters():
        torch.testing.assert_close(weight.grad, expected[key], atol=1e-5, rtol=1e-4)


def test_a_family_without_a_head_for_pairs_says_so() -> None:
    family = find("roberta-base")
    with pytest.raises(HornbookError, match="roberta has no head for pairs; it serves: masked"):
        family.pair_logits(torch.nn.Module(), torch.zeros(1, 1, 1))
