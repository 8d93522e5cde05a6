"""Where words and sentences begin, in the scripts of the world: in the text, among its tokens, in what is hidden."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from transformers import PreTrainedTokenizerFast

from hornbook.objectives import IGNORED, OBJECTIVES, Vocabulary
from hornbook.rng import CounterRNG
from hornbook.store import TokenStore, build
from hornbook.store.boundaries import sentence_starts, word_starts
from hornbook.tokenizers import STYLES, TokenizerOptions, build_fast_tokenizer, encode_documents, train

LANGUAGES = {  # two sentences each, with bars between words and two where a sentence ends
    "Thai": "ฉัน|รัก|ประเทศไทย| และ|อาหาร|ไทย\n||เรา|ไป|โรงเรียน",
    "Lao": "ຂ້ອຍ|ຮັກ|ປະເທດ|ລາວ\n||ຂ້ອຍ|ໄປ|ໂຮງຮຽນ",
    "Chinese": "我|喜欢|学习|中文|。||今天|天气|很好|！",
    "Japanese": "これ|は|本|です|。||東京|は|大きい|。",
    "Korean": "나는| 학교에| 간다|.|| 내일도| 간다|.",
    "Arabic": "ذهب| الولد| إلى| المدرسة|.|| هل| عاد|؟",
    "Urdu": "یہ| کتاب| ہے|۔|| وہ| گھر| گیا|۔",
    "Hindi": "यह| किताब| है|।|| वह| घर| गया|।",
    "Amharic": "ይህ| መጽሐፍ| ነው|።|| እሱ| ሄደ|።",
    "Armenian": "Սա| գիրք| է|։|| Նա| գնաց|։",
    "Greek": "Πού| πας|;|| Πάω| σπίτι|.",
    "Tibetan": "བོད|་|སྐད|་|ནི|།\n||ང|་|ཚོ|་|འགྲོ|།",
    "English": "She| didn't| pay| 3.14| 😀|!|| “|He| left|,|”| she| said|.",
}


def parts(marked: str, bar: str) -> list[str]:
    """Take a text apart at its bars, without the spaces around the parts, or its ends of lines."""
    kept = marked if bar == "|" else marked.replace("||", "\0").replace("|", "").replace("\0", "||")
    return [part.strip() for part in kept.split(bar) if part.strip()]


def plain(language: str) -> str:
    return LANGUAGES[language].replace("|", "")


def between(text: str, starts: np.ndarray) -> list[str]:
    found = [text[a:b].strip() for a, b in pairwise([*starts.tolist(), len(text)])]
    return [one for one in found if one]


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_and_sentences(language: str) -> None:
    text = plain(language)
    assert between(text, word_starts(text)) == parts(LANGUAGES[language], "|")
    assert between(text, sentence_starts(text)) == parts(LANGUAGES[language], "||")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_document_without_any_end_of_a_sentence_is_divided_between_words(language: str) -> None:
    words = [one for one in parts(LANGUAGES[language], "|") if one[-1].isalpha()]
    spaced = language in ("Korean", "Arabic", "Urdu", "Hindi", "Amharic", "Armenian", "Greek", "English")
    text = (" " if spaced else "").join(words) if language != "Tibetan" else "་".join(words)
    starts = sentence_starts(text)
    assert len(starts) >= 4 and starts.tolist() == word_starts(text).tolist()


@pytest.mark.parametrize(
    ("sentences", "said"),
    [
        (["One ends. ", "Two follows! ", "Three?"], "marks"),
        (['"Is it?" ', "She asked (twice.) ", "“Yes.” ", "Then."], "closing quotes and brackets"),
        (["pi is 3.14 and e.g. this goes on, v1.2.3 too. ", "New."], "small letters after a stop"),
        (["A title\n", "and a line\n\n  ", "a paragraph"], "lines, whatever they begin with"),
        (["Wait..... ", "What?!?! ", "Well."], "runs"),
        (["😀 One. ", "𝕋wo."], "characters beyond U+FFFF"),
    ],
)
def test_sentences_of_a_text(sentences: list[str], said: str) -> None:
    text = "".join(sentences)
    assert between(text, sentence_starts(text)) == [one.strip() for one in sentences], said


def test_texts_without_a_word() -> None:
    for text in ("", " ", "\n\n"):
        assert len(sentence_starts(text)) == len(word_starts(text)) <= len(text)


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    """Bytes, each a token: every letter beyond ASCII is several."""
    style = STYLES["bert"]
    options = TokenizerOptions(kind="bpe", vocab_size=300, min_frequency=10**6)
    return build_fast_tokenizer(train(["a b"], options, style, 0), "masked", 64, style)


def store_of(language: str, tokenizer: PreTrainedTokenizerFast, folder: Path) -> TokenStore:
    text = plain(language)
    return build(folder / "s", [text, text], tokenizer, tokenizer.sep_token_id, sentences=True, words=True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_begins_inside_a_character_and_none_is_lost(
    language: str, tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    store = store_of(language, tokenizer, tmp_path)
    assert store.words is not None and store.sentences is not None and len(store.words) == len(store.tokens)
    for marks, bar in ((np.flatnonzero(store.words), "|"), (store.sentences, "||")):
        edges = [*[one for one in marks.tolist() if one < store.ends[0] - 1], int(store.ends[0] - 1)]
        found = [tokenizer.decode(store.tokens[a:b].tolist()).strip() for a, b in pairwise(edges)]
        assert [one for one in found if one] == parts(LANGUAGES[language], bar)


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_are_hidden_whole_and_pairs_begin_with_sentences(
    language: str, tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    store, vocabulary = store_of(language, tokenizer, tmp_path), Vocabulary.of(tokenizer)
    rows = np.arange(40)
    masked = OBJECTIVES["masked"](whole_words=True, short=0.0, rate=0.3)
    window = int(store.ends[0]) - 1
    batch = masked.read(
        store, masked.chunking(store, window + 2), rows * 0, vocabulary, CounterRNG(0, 0, rows)
    )
    chosen = batch["labels"][:, 1:-1] != IGNORED
    words = np.asarray(store.words)[:window].cumsum()
    shares = np.stack([(np.bincount(words, row) / np.bincount(words).clip(1))[1:] for row in chosen])
    assert set(np.unique(shares)) == {0.0, 1.0}
    assert shares.mean() == pytest.approx(0.3, abs=5 * (0.21 / shares.size) ** 0.5)
    pairs = OBJECTIVES["masked_sentence_order"](short=0.0, whole_words=True)
    batch = pairs.read(store, pairs.chunking(store, window + 3), rows * 0, vocabulary, CounterRNG(0, 0, rows))
    second = {
        tokenizer.decode(np.where(y != IGNORED, y, x)[1 : (x == vocabulary.sep).argmax()].tolist()).strip()
        for x, y in zip(batch["input_ids"], batch["labels"], strict=True)
    }
    assert second == set(parts(LANGUAGES[language], "||"))


@pytest.mark.parametrize("kind", ["bpe", "wordpiece", "unigram"])
def test_tokens_of_a_sentence_are_those_that_its_text_has(
    kind: str, stories: list[str], tmp_path: Path
) -> None:
    """Decoded one by one, the store's sentences are the text's; and the tokens are those of a store without."""
    documents = [
        *stories[:15],
        "A title\n\nNaïve Zoë’s café. “Ça va?” Ø\nx",
        "word",
        "Literal </s>. And [SEP]. Ok.",
    ]
    style = STYLES["bert" if kind == "wordpiece" else "shared"]
    options = TokenizerOptions(kind=kind, vocab_size=450, min_frequency=1)
    tokenizer = build_fast_tokenizer(train(documents, options, style, 0), "masked", 64, style)
    end = tokenizer.sep_token_id
    store = build(tmp_path / "with", documents, tokenizer, end, sentences=True, words=True)
    plain = build(tmp_path / "without", documents, tokenizer, end)
    assert plain.sentences is None and plain.words is None and store.sentences is not None
    assert (store.tokens == plain.tokens).all() and (store.ends == plain.ends).all()
    begins = [0, *store.ends[:-1].tolist()]
    for text, begin, stop in zip(documents, begins, store.ends.tolist(), strict=True):
        inside = store.sentences[(store.sentences >= begin) & (store.sentences < stop)].tolist()
        assert inside[0] == begin
        found = [
            tokenizer.decode(store.tokens[a:b].tolist())
            for a, b in zip(inside, [*inside[1:], stop - 1], strict=True)
        ]
        wanted = between(text, sentence_starts(text))
        plainly = [tokenizer.decode(encode_documents(tokenizer, [one])[0]) for one in wanted]
        assert ["".join(one.split()) for one in found] == ["".join(one.split()) for one in plainly]
