from itertools import takewhile

import pytest
import torch

from hornbook.errors import HornbookError
from hornbook.evaluation.infill import infill
from hornbook.tokenizers import sentinel_ids

KINDS = ["bpe", "unigram"]


@pytest.fixture
def answering(make, monkeypatch):
    """Let a model answer with given spans, by the number of their sentinel, and keep what it was asked."""

    def planted(answer, kind="bpe"):
        loaded = make("t5-v1.1-tiny", kind=kind, style="t5" if kind == "unigram" else "shared")
        tokenizer, sentinels = loaded.tokenizer, sentinel_ids(loaded.tokenizer)
        ids = [loaded.model.config.decoder_start_token_id]
        for number, span in answer:
            ids += [sentinels[number], *tokenizer(span, add_special_tokens=False)["input_ids"]]
        asked = []

        def generate(inputs, **_):
            asked.append(inputs[0].tolist())
            return torch.tensor([[*ids, tokenizer.eos_token_id, sentinels[0], 7]])

        monkeypatch.setattr(loaded.model, "generate", generate)
        return loaded, asked

    return planted


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "blank", [("<mask>", "[MASK]"), ("____", "<extra_id_0>"), ("<extra_id_7>", "<mask>")]
)
def test_spans_stand_in_their_blanks(answering, kind, blank):
    loaded, asked = answering([(0, " the garden"), (1, " Lily")], kind)
    found = infill(loaded, "She went to {} and {}, too.".format(*blank))
    assert found.text == "She went to ⟦the garden⟧ and ⟦Lily⟧, too."
    assert found.spans == ("the garden", "Lily")
    # What the model reads is what Hugging Face's tokenizer makes of the text with the sentinels written out.
    text = "She went to <extra_id_0> and <extra_id_1>, too."
    assert asked == [loaded.tokenizer(text)["input_ids"]]


def test_a_model_of_several_modes_is_told_which(answering):
    """UL2's span corruption of a few short spans is announced by [NLU]."""
    loaded, asked = answering([(0, " one")])
    plain = infill(loaded, "a <mask> b").text
    loaded.vocabulary.named["[NLU]"] = 77
    assert infill(loaded, "a <mask> b").text == plain
    assert asked[1] == [77, *asked[0]]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ([(0, " one")], "a ⟦one⟧ b ⟦⟧ c"),
        ([], "a ⟦⟧ b ⟦⟧ c"),
        ([(1, " two"), (0, " one")], "a ⟦one⟧ b ⟦two⟧ c"),
        ([(0, " one"), (0, " again"), (1, " two")], "a ⟦one⟧ b ⟦two⟧ c"),
        ([(0, "s"), (1, " two"), (2, " junk")], "a⟦s⟧ b ⟦two⟧ c"),
    ],
)
def test_spans_are_told_by_their_sentinels(answering, answer, text):
    assert infill(answering(answer)[0], "a <mask> b <mask> c").text == text


def test_a_blank_may_begin_or_end_a_text(answering):
    found = infill(answering([(0, " Once"), (1, " end")])[0], "<mask> upon a <mask>")
    assert found.text == "⟦Once⟧ upon a ⟦end⟧"


def test_writes_what_hugging_faces_generate_writes(make):
    loaded = make("t5-v1.1-tiny")
    tokenizer, sentinels = loaded.tokenizer, sentinel_ids(loaded.tokenizer)
    # The first token that it writes is made the sentinel; then it goes on as its weights say.
    loaded.model.generation_config.forced_bos_token_id = sentinels[0]
    ids = tokenizer("Once upon a <extra_id_0> there was a cat.", return_tensors="pt")["input_ids"]
    theirs = loaded.model.generate(ids, max_new_tokens=32, do_sample=False)[0].tolist()[1:]
    assert theirs[0] == sentinels[0]
    span = list(takewhile(lambda token: token not in (tokenizer.eos_token_id, *sentinels), theirs[1:]))
    found = infill(loaded, "Once upon a <mask> there was a cat.")
    assert span and found.spans == (tokenizer.decode(span, skip_special_tokens=True).strip(" "),)
    drawn = [infill(loaded, "a <mask> b", temperature=1.0, seed=seed).text for seed in (1, 1, 2, 3, 4)]
    assert drawn[0] == drawn[1] and len(set(drawn)) > 1


def test_texts_and_models_that_do_not_fit_are_refused(make):
    loaded = make("t5-v1.1-tiny")
    with pytest.raises(HornbookError, match="no blank in 'a b'"):
        infill(loaded, "a b")
    with pytest.raises(HornbookError, match=r"has 9 blanks, and .* has 8 sentinels"):
        infill(loaded, "a <mask> " * 9)
    with pytest.raises(HornbookError, match="takes 64"):
        infill(loaded, "a <mask>" + " zzz" * 40)
    with pytest.raises(HornbookError, match="hornbook unmask"):
        infill(make("roberta-base"), "a <mask> b")
    with pytest.raises(HornbookError, match="hornbook generate"):
        infill(make("pythia-14m"), "a <mask> b")
