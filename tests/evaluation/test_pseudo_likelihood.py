import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

from hornbook.errors import HornbookError
from hornbook.evaluation.pseudo_likelihood import beginning, pseudo_likelihood

MODELS = [
    ("bert-tiny", "wordpiece", "bert"),
    ("roberta-base", "bpe", "shared"),
    ("albert-base-v2", "unigram", "albert"),
]


def one_mask_at_a_time(folder, texts, window):
    """Hugging Face's own tokenizer and model, all logits computed, one masked copy after the other."""
    tokenizer, model = (
        AutoTokenizer.from_pretrained(folder),
        AutoModelForMaskedLM.from_pretrained(folder).eval(),
    )
    nats = tokens = 0
    for text in texts:
        words = tokenizer(text, add_special_tokens=False)["input_ids"]
        for first in range(0, len(words), window):
            ids = [tokenizer.cls_token_id, *words[first : first + window], tokenizer.sep_token_id]
            for place in range(1, len(ids) - 1):
                masked = torch.tensor([[*ids[:place], tokenizer.mask_token_id, *ids[place + 1 :]]])
                with torch.no_grad():
                    nats -= float(model(masked).logits[0, place].double().log_softmax(0)[ids[place]])
                tokens += 1
    return nats, tokens


@pytest.mark.parametrize(("preset", "kind", "style"), MODELS)
@pytest.mark.parametrize("length", [24, 128])
def test_equals_hugging_faces_model_with_one_mask_at_a_time(make, stories, preset, kind, style, length):
    loaded = make(preset, length, kind, style)
    texts = [stories[0][:80], "æ", stories[1][:50]]
    found = pseudo_likelihood(loaded, texts)
    nats, tokens = one_mask_at_a_time(loaded.folder, texts, length - 2)
    assert found.nats == pytest.approx(nats, rel=1e-5)
    assert (found.tokens, found.documents) == (tokens, 3)
    assert found.bytes == len("".join(texts).encode())


def test_the_text_scored_depends_on_no_tokenizer(make, stories):
    sizes = {
        (found.bytes, found.documents)
        for model, length in zip(MODELS, (16, 64, 128), strict=True)
        for found in [
            pseudo_likelihood(make(model[0], length, *model[1:]), stories, documents=3, characters=60)
        ]
    }
    assert len(sizes) == 1


def test_a_beginning_ends_with_a_word():
    assert beginning("one two three", 9) == "one two"
    assert beginning("one two three", 7) == "one two"
    assert beginning("one two three", 13) == "one two three"
    assert beginning("x" * 10, 4) == "xxxx"


def test_progress_ends_at_one_and_other_heads_are_refused(make, stories):
    heard = []
    pseudo_likelihood(make("roberta-base"), stories, 2, 40, heard.append)
    assert heard == sorted(heard) and heard[-1] == 1
    with pytest.raises(HornbookError, match=r"causal model.*hornbook generate"):
        pseudo_likelihood(make("pythia-14m"), stories)
