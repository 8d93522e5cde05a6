"""Which words are hidden: whole ones, an exact number, the same ones in each copy; and what stands in their place."""

from random import Random

import numpy as np
import pytest
from transformers import DataCollatorForLanguageModeling, PreTrainedTokenizerFast

from hornbook.objectives import IGNORED, Vocabulary
from hornbook.objectives.masked import Masked
from hornbook.rng import CounterRNG
from hornbook.store import Plan, Windows
from hornbook.tokenizers import (
    STYLES,
    TokenizerOptions,
    build_fast_tokenizer,
    encode_documents,
    train,
)

KINDS = ["bpe", "wordpiece", "unigram"]
TEXT = "Don't say: naïve Zoë's café, 3,141 dogs—Søren!\n\n  “Huh?” 東京 x_y\tend"


@pytest.fixture(scope="module", params=KINDS)
def tokenizer(request: pytest.FixtureRequest, stories: list[str]) -> PreTrainedTokenizerFast:
    kind = request.param
    style = STYLES["bert" if kind == "wordpiece" else "shared"]
    size = {"bpe": 330, "wordpiece": 170, "unigram": 420}[kind]
    options = TokenizerOptions(kind=kind, vocab_size=size, lowercase=False, min_frequency=1)
    return build_fast_tokenizer(train([*stories, TEXT], options, style, 0), "masked", 64, style)


def words_of(tokenizer: PreTrainedTokenizerFast, ids: list[int]) -> list[list[int]]:
    """Walk the tokens one by one: the words as lists of places, special tokens in none of them."""
    kind = type(tokenizer.backend_tokenizer.model).__name__
    words: list[list[int]] = []
    fresh = True
    for place, number in enumerate(ids):
        token = tokenizer.convert_ids_to_tokens(number)
        if number in tokenizer.all_special_ids:
            fresh = True
            continue
        if kind == "WordPiece":
            begins, ends = not token.startswith("##"), False
        else:
            text = tokenizer.decode([number]) or "?"
            begins = text[0] not in "\ufffd" and not text[0].isalnum()
            ends = text[-1] not in "\ufffd " and not text[-1].isalnum()
            if any(name in text for name in "東京"):
                begins = ends = True
        if begins or fresh:
            words.append([])
        words[-1].append(place)
        fresh = ends
    return words


def test_words_are_those_of_a_walk_along_the_tokens(tokenizer: PreTrainedTokenizerFast, stories) -> None:
    vocabulary = Vocabulary.of(tokenizer)
    for text in [TEXT, *stories[:20]]:
        (ids,) = encode_documents(tokenizer, [text])
        framed = [tokenizer.cls_token_id, *ids, tokenizer.sep_token_id, *ids[3:]]
        begins = vocabulary.begins_word(np.array([framed]))[0]
        special = np.isin(framed, tokenizer.all_special_ids)
        expected = {word[0] for word in words_of(tokenizer, framed)}
        assert set(np.flatnonzero(begins & ~special).tolist()) == expected


def test_words_are_what_people_would_call_words(tokenizer: PreTrainedTokenizerFast) -> None:
    text = 'Once upon a time, "happy Lily" went home.'
    (ids,) = encode_documents(tokenizer, [text])
    words = [tokenizer.decode([ids[place] for place in word]).strip() for word in words_of(tokenizer, ids)]
    assert [word.replace(" ", "") for word in words if word] == [
        *("Once", "upon", "a", "time", ",", '"', "happy", "Lily", '"', "went", "home", "."),
    ]


def windows_of(tokenizer: PreTrainedTokenizerFast, stories: list[str], number: int) -> np.ndarray:
    end = tokenizer.sep_token_id
    stream = [i for ids in encode_documents(tokenizer, stories) for i in (*ids, end)]
    return np.resize(np.array(stream), (number, 62))


@pytest.mark.parametrize("exact", [False, True])
def test_whole_words_are_hidden_whole_and_keep_their_fates(
    tokenizer: PreTrainedTokenizerFast, stories: list[str], exact: bool
) -> None:
    vocabulary = Vocabulary.of(tokenizer)
    windows = windows_of(tokenizer, stories, 600)
    objective = Masked(whole_words=True, exact=exact, short=0)
    assert objective.problems(vocabulary, 64) == []
    begins = vocabulary.begins_word(windows)
    batch = objective.batch(windows, vocabulary, CounterRNG(1, 0, np.arange(600)), begins)
    inputs, labels = batch["input_ids"], batch["labels"]
    chosen = labels != IGNORED
    several = hidden_words = all_words = 0
    for row, mine in zip(np.where(chosen, labels, inputs).tolist(), chosen, strict=True):
        for word in words_of(tokenizer, row):
            assert len(set(mine[word].tolist())) == 1
            several += len(word) > 1 and bool(mine[word[0]])
            hidden_words += bool(mine[word[0]])
            all_words += 1
    assert several > 100
    if not exact:
        assert hidden_words / all_words == pytest.approx(0.15, abs=4 * np.sqrt(0.15 * 0.85 / all_words))
    count = chosen.sum()
    masked, kept = inputs[chosen] == vocabulary.mask, inputs[chosen] == labels[chosen]
    assert masked.mean() == pytest.approx(0.8, abs=4 * np.sqrt(0.16 / count))
    assert kept.mean() == pytest.approx(0.1 + 0.1 / len(vocabulary.words), abs=4 * np.sqrt(0.09 / count))
    strangers = inputs[chosen][~masked & ~kept]
    assert np.isin(strangers, vocabulary.words).all()
    # BERT draws the fate of every token by itself: within a word of two, 2 * 0.8 * 0.2 have just one mask.
    pairs = [
        (mine[word[0]], mine[word[1]])
        for row, mine in zip(
            np.where(chosen, labels, inputs).tolist(), chosen * 1 + (inputs == vocabulary.mask), strict=True
        )
        for word in words_of(tokenizer, row)
        if len(word) == 2 and mine[word[0]]
    ]
    mixed = np.mean([a != b for a, b in pairs])
    assert mixed == pytest.approx(0.32, abs=4 * np.sqrt(0.32 * 0.68 / len(pairs)))


def test_transformers_takes_words_for_what_lies_between_gaps(stories: list[str]) -> None:
    """Why another way than theirs, which also gives up the 80, 10 and 10 per cent.

    It looks for gaps between offsets, of which byte-level tokens have none: a whole text is one word, hidden as a whole
    or not at all.
    """
    style = STYLES["shared"]
    trained = train(stories, TokenizerOptions(kind="bpe", vocab_size=420), style, 0)
    tokenizer = build_fast_tokenizer(trained, "masked", 64, style)
    with pytest.warns(UserWarning, match="Setting mask_replace_prob to 1"):
        collator = DataCollatorForLanguageModeling(
            tokenizer, whole_word_mask=True, return_tensors="np", seed=0
        )
    asked = {"return_offsets_mapping": True, "return_special_tokens_mask": True}
    texts = [dict(tokenizer(story, truncation=True, max_length=32, **asked)) for story in stories[:60]]
    batch = collator(texts)
    chosen = batch["labels"] != IGNORED
    assert set(np.unique(chosen.sum(1)).tolist()) == {0, 30}
    assert (batch["input_ids"][chosen] == tokenizer.mask_token_id).all()
    windows = windows_of(tokenizer, stories, 60)
    vocabulary = Vocabulary.of(tokenizer)
    begins = vocabulary.begins_word(windows)
    ours = Masked(whole_words=True).batch(windows, vocabulary, CounterRNG(0, 0, np.arange(60)), begins)
    shares = (ours["labels"] != IGNORED).mean(1)
    assert 0 < shares.mean() < 0.25 and shares.max() < 0.6


def published_choice(words: list[list[int]], tokens: int, rate: float, order: list[int]) -> set[int]:
    """BERT's loop over shuffled words, with its early end and its skipping."""
    wanted = max(1, round(tokens * rate))
    chosen: list[int] = []
    for number in order:
        if len(chosen) >= wanted:
            break
        if len(chosen) + len(words[number]) > wanted:
            continue
        chosen += words[number]
    return set(chosen)


@pytest.mark.parametrize("whole_words", [False, True])
@pytest.mark.parametrize("rate", [0.15, 0.4])
def test_an_exact_choice_is_the_published_loops(
    tokenizer: PreTrainedTokenizerFast, stories: list[str], whole_words: bool, rate: float
) -> None:
    vocabulary, rng = Vocabulary.of(tokenizer), CounterRNG(3, 0, np.arange(40))
    text = np.pad(windows_of(tokenizer, stories, 40), ((0, 0), (1, 1)), constant_values=vocabulary.sep)
    chosen = Masked(exact=True, whole_words=whole_words, rate=rate).choose(
        text, vocabulary, rng, vocabulary.begins_word(text)
    )
    scores = rng.uniform("chosen", 64)
    for row, mine, score in zip(text.tolist(), chosen, scores, strict=True):
        words = words_of(tokenizer, row)
        tokens = sum(map(len, words))
        if not whole_words:
            words = [[place] for word in words for place in word]
        order = sorted(range(len(words)), key=lambda number: score[words[number][0]])
        assert set(np.flatnonzero(mine).tolist()) == published_choice(words, tokens, rate, order)
        assert whole_words or mine.sum() == max(1, round(tokens * rate))


def test_at_least_one_token_is_chosen_exactly() -> None:
    vocabulary = Vocabulary(20, 1, 2, 2, 3, np.arange(4), np.arange(4, 20), np.array([], np.int64))
    text = np.array([[1, 5, 2, 2, 2], [1, 5, 6, 7, 2], [1, 2, 2, 2, 2]])
    chosen = Masked(exact=True, rate=0.01).choose(text, vocabulary, CounterRNG(0, 0, np.arange(3)))
    assert chosen.sum(1).tolist() == [1, 1, 0]


def test_static_masks_repeat_after_all_copies_and_differ_within() -> None:
    """Whole epochs of examples, wherever the steps cut them: 25 windows in batches of 10."""
    random, size = np.random.default_rng(0), 25
    store = random.integers(4, 400, size * 126)
    words = np.arange(4, 399)
    vocabulary = Vocabulary(400, 1, 2, 2, 399, np.array([0, 1, 2, 3, 399]), words, np.array([], np.int64))

    def examples(duplicates: int | None, epochs: int) -> list[dict[int, bytes]]:
        objective = Masked(duplicates=duplicates)
        plan = Plan(Windows(len(store), 126), 10, 7, objective.duplicates)
        made: list[tuple[int, bytes]] = []
        for step in range(-(-epochs * size // 10)):
            starts = plan.starts(step)
            windows = store[(starts[:, None] + np.arange(126)) % len(store)]
            batch = objective.batch(windows, vocabulary, plan.rng(step))
            rows = np.concatenate([batch["input_ids"], batch["labels"]], axis=1)
            made += [(start, row.tobytes()) for start, row in zip(starts.tolist(), rows, strict=True)]
        return [dict(made[epoch * size : (epoch + 1) * size]) for epoch in range(epochs)]

    static = examples(4, 9)
    assert all(len(epoch) == size for epoch in static)
    for epoch in range(5):
        assert static[epoch] == static[epoch + 4]
    for start in static[0]:
        assert len({static[epoch][start] for epoch in range(4)}) == 4
    assert len({row for epoch in examples(None, 4) for row in epoch.values()}) == 4 * size
    assert examples(1, 3)[0] == examples(1, 3)[2]


def test_edges_of_tokens_that_are_parts_of_characters() -> None:
    """'ø' in two byte tokens is one letter of its word; a whole '—' bounds one."""
    random = Random(0)
    letters = [chr(code) for code in range(97, 123)]
    text = ["".join(random.choices(letters, k=5)) + "ø" for _ in range(300)]
    options = TokenizerOptions(kind="bpe", vocab_size=300, min_frequency=300)
    tokenizer = train([" ".join(text)], options, STYLES["shared"], 0)
    ids = tokenizer.encode("søs — ø", add_special_tokens=False).ids
    vocabulary = Vocabulary.of(build_fast_tokenizer(tokenizer, "masked", 32, STYLES["shared"]))
    begins = vocabulary.begins_word(np.array([ids]))[0]
    words = "".join("|" * bool(b) + tokenizer.id_to_token(i) for i, b in zip(ids, begins, strict=True))
    assert words == "|sÃ¸s|ĠâĢĶ|ĠÃ¸"
