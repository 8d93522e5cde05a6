"""Each objective's loss is Hugging Face's own on the same batch, in value and in gradient."""

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

from hornbook.draws import Draws
from hornbook.families import find
from hornbook.objectives import Causal, Masked, Objective, SpanCorruption, Vocabulary

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
    "tinystories-1m": {"num_layers": 2, "hidden_size": 32, "num_heads": 4},
    "pythia-14m": {"num_hidden_layers": 2, "hidden_size": 32, "intermediate_size": 64},
    "t5-v1.1-tiny": {"num_layers": 2, "num_decoder_layers": 2, "d_model": 32, "d_ff": 64},
    "t5-small": {"num_layers": 2, "num_decoder_layers": 2, "d_model": 32, "d_ff": 64},
}
OBJECTIVES: dict[str, Objective] = {"masked": Masked(), "causal": Causal(), "seq2seq": SpanCorruption()}


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    names = ["<pad>", "<s>", "</s>", "<unk>", *(f"w{number}" for number in range(90)), "<mask>"]
    names += [f"<extra_id_{number}>" for number in range(20)][::-1]
    words = Tokenizer(models.WordLevel({name: place for place, name in enumerate(names)}, unk_token="<unk>"))
    return PreTrainedTokenizerFast(
        tokenizer_object=words,
        pad_token="<pad>",
        bos_token="<s>",
        cls_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        unk_token="<unk>",
        mask_token="<mask>",
        extra_special_tokens=[f"<extra_id_{number}>" for number in range(20)],
    )


@pytest.mark.parametrize("preset", SMALL)
def test_loss_and_gradients_are_hugging_faces(preset: str, tokenizer: PreTrainedTokenizerFast) -> None:
    family = find(preset)
    head = next(iter(family.heads))
    objective, vocabulary = OBJECTIVES[head], Vocabulary.of(tokenizer)
    model = family.build(family.configure(preset, tokenizer, 32, SMALL[preset]), head, seed=0).eval()
    windows = np.random.default_rng(0).choice(vocabulary.words, (6, objective.window(32)))
    windows[:, 7] = tokenizer.eos_token_id
    arrays = objective.batch(windows, vocabulary, Draws(0, 0, np.arange(6)))
    batch = {name: torch.from_numpy(array) for name, array in arrays.items()}

    theirs = model(**batch).loss
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
