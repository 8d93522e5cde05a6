import re

from hypothesis import given
from hypothesis import strategies as some

from hornbook.evaluation.prompts import heldout_prompts

NORWEGIAN = "Æresgjesten kom på besøk til øya i går, og så gikk alle de små barna hjem igjen. Slutt."


def test_a_prompt_is_the_beginning_of_a_document_with_one_word_blanked(stories):
    prompts = heldout_prompts(stories, 5)
    assert len(set(prompts)) == 5
    for prompt in prompts:
        before, after = prompt.split("<mask>")
        pattern = re.compile(re.escape(before) + r"[^\W\d_]{3,}" + re.escape(after))
        assert any(pattern.match(story) for story in stories)
        assert 6 <= len(before.split()) <= 12 and len(after.split()) <= 9


def test_they_are_always_the_same(stories):
    assert heldout_prompts(stories) == heldout_prompts(list(stories))


def test_any_language_with_words_will_do():
    (prompt,) = heldout_prompts([NORWEGIAN])
    assert prompt.startswith("Æresgjesten kom på besøk til øya")


def test_documents_without_such_a_beginning_are_passed_over():
    assert (
        heldout_prompts(["too short", "1 2 3 4 5 6 7 8 9 10 11", NORWEGIAN.replace(" på ", " <mask> ")]) == []
    )


def test_headings_are_passed_over_and_no_prompt_comes_twice():
    (prompt,) = heldout_prompts(["Heading\n\nShort.\n\n" + NORWEGIAN] * 50, 50)[:1]
    assert prompt.startswith("Æresgjesten")
    prompts = heldout_prompts([NORWEGIAN] * 50, 50)
    assert 1 < len(prompts) == len(set(prompts)) <= 7


@given(some.lists(some.text(), max_size=5), some.integers(1, 4))
def test_no_text_is_too_strange(texts, count):
    assert all(prompt.count("<mask>") == 1 for prompt in heldout_prompts(texts, count))
