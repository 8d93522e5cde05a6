"""Scores of both halves against Hugging Face's own class, asked for one sentence and one token at a time."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoModelForSeq2SeqLM, AutoTokenizer

from hornbook.errors import HornbookError
from hornbook.evaluation.minimal_pairs import left_to_right, masked, measure_pairs, text_to_text
from hornbook.evaluation.minimal_pairs.encoding import encode
from hornbook.evaluation.minimal_pairs.measure import by_halves
from hornbook.evaluation.minimal_pairs.pair import Half, MinimalPair, Paradigm
from hornbook.families import find
from hornbook.loading import load_model
from hornbook.recipe import make_recipe
from hornbook.training.train import init

EXAMPLES = Path(__file__).parents[3] / "examples" / "architectures"

PAIRS = [
    MinimalPair(Half("Once upon a time there was a cat."), Half("Once upon a time there were a cat.")),
    MinimalPair(Half("Lily went to the park."), Half("Lily the park went to a big hat.")),
    MinimalPair(Half("The bear"), Half("The bear was proud of unbelievable marmalade.")),
    MinimalPair(
        Half("Lily was happy.", "Lily found a ball."), Half("Lily was happy.", "Lily lost her ball.")
    ),
    MinimalPair(Half("She ran.", "The bear came."), Half("She sang.", "The bear came.")),
]


def log_probability(model, before: list[int], ids: list[int]) -> float:
    """Sum ln p of `ids` after `before`."""
    with torch.no_grad():
        logits = model(torch.tensor([[*before, *ids]])).logits[0].double()
    places = range(len(before) - 1, len(before) + len(ids) - 1)
    return sum(float(logits[place].log_softmax(0)[one]) for place, one in zip(places, ids, strict=True))


@pytest.mark.parametrize("preset", ["tinystories-1m", "pythia-14m", "gpt2", "tinyllama-15m"])
def test_a_causal_model_reads_each_half_alone(make, preset):
    loaded = make(preset)
    found = left_to_right.differences(loaded, encode(loaded, PAIRS))
    model = AutoModelForCausalLM.from_pretrained(loaded.folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(loaded.folder)
    for pair, difference in zip(PAIRS, found, strict=True):
        sums = []
        for half in (pair.good, pair.bad):
            ids = tokenizer(half.text, add_special_tokens=False)["input_ids"]
            first = len(tokenizer(half.context, add_special_tokens=False)["input_ids"])
            sums.append(log_probability(model, [tokenizer.eos_token_id, *ids[:first]], ids[first:]))
        assert difference == pytest.approx(sums[0] - sums[1], abs=1e-4)


def alone(loaded, half: Half) -> float:
    """Sum ln p of a half by itself, with the model as it is."""
    ids = loaded.tokenizer(half.text, add_special_tokens=False)["input_ids"]
    first = len(loaded.tokenizer(half.context, add_special_tokens=False)["input_ids"])
    read = torch.tensor([[loaded.tokenizer.eos_token_id, *ids]])
    with torch.no_grad():
        hidden = loaded.family.hidden(loaded.model, {"input_ids": read})
        logs = loaded.family.logits(loaded.model, hidden)[0].double().log_softmax(-1)
    return sum(float(logs[place, ids[place]]) for place in range(first, len(ids)))


@pytest.mark.parametrize("positions", ["rotary", "alibi"])
def test_where_a_token_stands_is_the_same_in_a_row_of_its_own(save, tmp_path, positions):
    """ALiBi counts columns, so that a half that stands behind the other one would be further from its beginning."""
    loaded = load_model(save(tmp_path / "model", "tinystories-1m", positions=positions))
    found = left_to_right.differences(loaded, encode(loaded, PAIRS))
    expected = [alone(loaded, pair.good) - alone(loaded, pair.bad) for pair in PAIRS]
    assert found == pytest.approx(expected, abs=1e-4)


@pytest.mark.long
@pytest.mark.parametrize("code", ["plain.py:PlainDecoder", "rotary.py:RotaryGPTNeoForCausalLM"])
def test_a_class_of_ones_own_reads_each_half_by_itself(tmp_path, story_file, code):
    config = {"width": 32} if "plain" in code else find("tinystories-1m").tiny
    recipe = {
        "name": "own",
        "cache": str(tmp_path / "cache"),
        "corpus": {"path": str(story_file), "documents": "line"},
        "tokenizer": {"vocab_size": 400},
        "model": {"code": str(EXAMPLES / code), "length": 64, "config": config},
        "objective": "causal",
        "training": {"steps": 1},
    }
    recipe["model"] |= {} if "plain" in code else {"preset": "tinystories-1m"}
    init(make_recipe(recipe), tmp_path / "own")
    loaded = load_model(tmp_path / "own", trust=True)
    for parameter in loaded.model.parameters():
        parameter.data.mul_(5)  # so that it has opinions
    found = left_to_right.differences(loaded, encode(loaded, PAIRS))
    expected = [alone(loaded, pair.good) - alone(loaded, pair.bad) for pair in PAIRS]
    assert found == pytest.approx(expected, abs=1e-4) and abs(found).max() > 0.1


def test_a_tokenizer_that_begins_texts_itself_is_obeyed(make):
    loaded = make("tinystories-1m")
    assert left_to_right.beginning(loaded) == loaded.tokenizer.eos_token_id
    from tokenizers.processors import TemplateProcessing

    bos = loaded.tokenizer.bos_token
    loaded.tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=[bos, "$A"], special_tokens=[(bos, loaded.tokenizer.bos_token_id)]
    )
    assert left_to_right.beginning(loaded) == loaded.tokenizer.bos_token_id


MASKED = [
    ("bert-tiny", "wordpiece", "bert"),
    ("roberta-base", "bpe", "shared"),
    ("albert-base-v2", "unigram", "albert"),
]


@pytest.mark.parametrize(("preset", "kind", "style"), MASKED)
@pytest.mark.parametrize("within_word", [True, False])
def test_a_masked_model_predicts_one_token_at_a_time(make, preset, kind, style, within_word):
    loaded = make(preset, 64, kind, style)
    found = by_halves(partial(masked.scores, within_word=within_word))(loaded, encode(loaded, PAIRS), None)
    model = AutoModelForMaskedLM.from_pretrained(loaded.folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(loaded.folder)

    def pseudo(half: Half) -> float:
        encoded = tokenizer(half.text, return_offsets_mapping=True)
        ids, offsets = encoded["input_ids"], encoded["offset_mapping"]
        words, total = words_of(half.text), 0.0
        # The token's last character says which word it is in; that of a space alone, the next one's.
        last = [end if half.text[end - 1 : end] == " " else end - 1 for _, end in offsets]
        word = [next((n for n, (a, b) in enumerate(words) if a <= at < b), None) for at in last]
        for place in range(1, len(ids) - 1):
            if offsets[place][1] <= half.begins:
                continue
            later = [p for p in range(place + 1, len(ids) - 1) if word[p] == word[place]]
            hidden = [place, *(later if within_word else [])]
            asked = [tokenizer.mask_token_id if p in hidden else one for p, one in enumerate(ids)]
            with torch.no_grad():
                logits = model(torch.tensor([asked])).logits[0, place].double()
            total += float(logits.log_softmax(0)[ids[place]])
        return total

    expected = [pseudo(pair.good) - pseudo(pair.bad) for pair in PAIRS]
    assert found == pytest.approx(expected, abs=1e-4)


def words_of(text: str) -> list[tuple[int, int]]:
    """Split a text into runs of letters and single marks, by their characters."""
    import re

    return [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]


def test_the_rules_differ_where_words_have_several_tokens(make):
    loaded = make("bert-tiny", 64, "wordpiece", "bert")
    pairs = encode(loaded, PAIRS)
    assert any(len(pair.bad.ids) > len(PAIRS[n].bad.text.split()) + 2 for n, pair in enumerate(pairs))
    assert not np.allclose(
        by_halves(partial(masked.scores, within_word=True))(loaded, pairs, None),
        by_halves(partial(masked.scores, within_word=False))(loaded, pairs, None),
    )


def test_a_text_to_text_model_writes_each_word(make):
    loaded = make("t5-v1.1-tiny", 64, "unigram", "t5")
    found = by_halves(text_to_text.scores)(loaded, encode(loaded, PAIRS), None)
    model = AutoModelForSeq2SeqLM.from_pretrained(loaded.folder).eval()
    # The class ties the head of v1.1, whatever the folder says.
    model.lm_head.weight = torch.nn.Parameter(loaded.model.lm_head.weight.detach().clone())
    tokenizer = AutoTokenizer.from_pretrained(loaded.folder)
    first, second = tokenizer.convert_tokens_to_ids(["<extra_id_0>", "<extra_id_1>"])
    end = tokenizer.eos_token_id

    def spans(half: Half) -> float:
        encoded = tokenizer(half.text, add_special_tokens=False, return_offsets_mapping=True)
        ids, offsets = encoded["input_ids"], encoded["offset_mapping"]
        total = 0.0
        for begin, after in words_of(half.text):
            if begin < half.begins:
                continue
            last = [e + 1 if half.text[e - 1 : e] == " " else e for _, e in offsets]
            places = [p for p, e in enumerate(last) if begin < e <= after]
            read = [*ids[: places[0]], first, *ids[places[-1] + 1 :], end]
            word = [ids[p] for p in places]
            decoder = torch.tensor([[model.config.decoder_start_token_id, first, *word]])
            with torch.no_grad():
                logits = (
                    model(torch.tensor([read]), decoder_input_ids=decoder).logits[0].double().log_softmax(-1)
                )
            total += sum(float(logits[1 + n, one]) for n, one in enumerate(word))
            total += float(logits[1 + len(word), [second, end]].logsumexp(0))
        return total

    # Of sums of some hundred nats in fp32.
    assert found == pytest.approx([spans(pair.good) - spans(pair.bad) for pair in PAIRS], rel=1e-5, abs=1e-3)


def test_only_its_own_rules_are_taken(make):
    paradigms = [Paradigm("own", PAIRS)]
    with pytest.raises(
        HornbookError, match="no rule 'pseudo-likelihood' is for it; known: log-probability, lm-eval"
    ):
        measure_pairs(make("tinystories-1m"), "own", paradigms, "pseudo-likelihood")
    with pytest.raises(HornbookError, match="did you mean 'within-word'"):
        measure_pairs(make("bert-tiny", 64, "wordpiece", "bert"), "own", paradigms, "within-words")
