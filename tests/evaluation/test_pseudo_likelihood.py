import pytest
from transformers import AutoModelForMaskedLM, AutoTokenizer

from hornbook.errors import HornbookError
from hornbook.evaluation.pseudo_likelihood import beginning, pseudo_likelihood
from hornbook.testing.twins import one_mask_at_a_time

MODELS = [
    ("bert-tiny", "wordpiece", "bert"),
    ("roberta-base", "bpe", "shared"),
    ("albert-base-v2", "unigram", "albert"),
]


@pytest.mark.parametrize(("preset", "kind", "style"), MODELS)
@pytest.mark.parametrize("length", [24, 128])
def test_equals_hugging_faces_model_with_one_mask_at_a_time(make, stories, preset, kind, style, length):
    loaded = make(preset, length, kind, style)
    texts = [stories[0][:80], "æ", stories[1][:50]]
    found = pseudo_likelihood(loaded, texts)
    tokenizer = AutoTokenizer.from_pretrained(loaded.folder)
    model = AutoModelForMaskedLM.from_pretrained(loaded.folder).eval()
    nats, tokens = one_mask_at_a_time(model, tokenizer, texts, length - 2)
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
