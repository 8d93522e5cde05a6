import sys

import pytest
from transformers import pipeline

from hornbook.cli import main
from hornbook.errors import HornbookError
from hornbook.evaluation.unmask import unmask


@pytest.mark.parametrize(
    ("preset", "kind", "style", "mask"),
    [
        ("roberta-base", "bpe", "shared", "<mask>"),
        ("albert-base-v2", "unigram", "albert", "[MASK]"),
        ("bert-tiny", "wordpiece", "bert", "[MASK]"),
    ],
)
@pytest.mark.parametrize("text", ["Once upon a {} there was a cat.", "{} went to the park", "The dog{}"])
def test_gives_what_hugging_faces_fill_mask_gives(make, preset, kind, style, mask, text):
    loaded = make(preset, kind=kind, style=style)
    fill = pipeline("fill-mask", model=str(loaded.folder), device="cpu")
    theirs = [
        one
        for one in fill(text.format(mask), top_k=50)
        if one["token"] not in loaded.tokenizer.all_special_ids
    ][:5]
    for written in ("<mask>", "[MASK]", "____"):
        (blank,) = unmask(loaded, text.format(written))
        assert [one.probability for one in blank.candidates] == pytest.approx(
            [one["score"] for one in theirs], rel=1e-4
        )
        if kind == "bpe":  # it gives texts back as they were
            sequences = [one["sequence"] for one in theirs]
            shown = [one.text for one in blank.candidates]
            assert shown == [one.lstrip(" ") for one in sequences]


def test_each_blank_is_filled_by_itself_in_the_users_own_words(make):
    loaded = make("bert-tiny", kind="wordpiece", style="bert")
    first, second = unmask(loaded, "The  Dog <mask> to the <mask>, Zoë!", top=3)
    assert len(first.candidates) == len(second.candidates) == 3
    for one in first.candidates:
        assert one.text.startswith("The  Dog") and one.text.endswith(" to the <mask>, Zoë!")
    for one in second.candidates:
        assert one.text.startswith("The  Dog <mask> to the") and one.text.endswith(", Zoë!")
    chances = [one.probability for one in first.candidates]
    assert chances == sorted(chances, reverse=True) and sum(chances) < 1


def test_neither_special_tokens_nor_rows_without_a_token_are_candidates(make):
    loaded = make("roberta-base")
    loaded.model.lm_head.bias.data[loaded.tokenizer.all_special_ids] = 100.0
    (blank,) = unmask(loaded, "a <mask>", top=1000)
    assert len(blank.candidates) == len(loaded.tokenizer) - len(set(loaded.tokenizer.all_special_ids))
    assert sum(one.probability for one in blank.candidates) < 1e-6


@pytest.mark.parametrize(
    ("preset", "kind", "style"), [("roberta-base", "bpe", "shared"), ("bert-tiny", "wordpiece", "bert")]
)
def test_a_blank_on_a_line_of_its_own_stays_there(make, preset, kind, style):
    (blank,) = unmask(make(preset, kind=kind, style=style), "a cat\n<mask>\nb", top=30)
    for one in blank.candidates:
        assert one.text.startswith("a cat\n") and one.text.endswith("\nb")
        assert not one.text.startswith("a cat\n ")


def test_control_tokens_in_a_text_are_text(make):
    loaded = make("roberta-base")
    (blank,) = unmask(loaded, "the tag </s> is <mask>", top=1)
    assert blank.candidates[0].text.startswith("the tag </s> is")


def test_texts_and_models_that_do_not_fit_are_refused(make):
    with pytest.raises(HornbookError, match="no blank in 'Once upon a time'"):
        unmask(make("roberta-base"), "Once upon a time")
    with pytest.raises(HornbookError, match="takes 64"):
        unmask(make("roberta-base"), "Once upon a <mask>" + " zzz" * 40)
    with pytest.raises(HornbookError, match="hornbook generate"):
        unmask(make("tinystories-1m"), "Once upon a <mask>")
    with pytest.raises(HornbookError, match="hornbook infill"):
        unmask(make("t5-v1.1-tiny"), "Once upon a <mask>")


def test_white_space_is_shown_and_no_byte_level_name(make):
    loaded = make("roberta-base", kind="bpe", style="shared")
    (blank,) = unmask(loaded, "Once <mask> a time", top=len(loaded.vocabulary.words))
    shown = {one.text: one.token for one in blank.candidates}
    assert shown["Once\n a time"] == "⏎" and shown["Once  a time"] == "␣" and shown["Once\t a time"] == "⇥"
    assert not {"Ċ", "Ġ", "ĉ"} & set(shown.values())


def test_the_command_line_gives_each_candidate_a_line(make, capsys, monkeypatch):
    loaded = make("roberta-base", kind="bpe", style="shared")
    top = str(len(loaded.vocabulary.words))
    monkeypatch.setattr(sys, "argv", ["hornbook", "unmask", str(loaded.folder), "Once <mask>.", "--top", top])
    with pytest.raises(SystemExit) as stop:
        main()
    assert not stop.value.code
    lines = capsys.readouterr().out.split("\n")
    assert len([line for line in lines if "%  Once" in line]) == int(top)
    assert any(line.endswith("%  Once⏎.") for line in lines)
