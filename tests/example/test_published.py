"""The pairs of the papers, letter for letter."""

from pathlib import Path

import pytest

from hornbook.example import show
from hornbook.families import find
from hornbook.loading import LoadedModel
from hornbook.tokenizers import load


def opened(data: Path, tokenizer: str, preset: str, head: str, length: int = 64) -> LoadedModel:
    """Put a tiny model to a real tokenizer."""
    family, words = find(preset), load(str(data / "tokenizers" / tokenizer))
    config = family.configure(preset, words, length, family.tiny)
    model = family.build(config, head, 0).eval()
    return LoadedModel(Path(), tokenizer, family, head, model, words, length)


def test_the_bad_dog(data: Path) -> None:
    example = show(opened(data, "t5-small", "t5-small", "seq2seq"), "The bad dog ruined my sleep", "bad dog")
    source, target = example.sequences
    assert source.text.removesuffix(" </s>") == "The <extra_id_0> ruined my sleep"
    assert target.text.removesuffix(" </s>") == "<extra_id_0> bad dog <extra_id_1>"
    assert (target.places[0].token, target.places[0].predicts) == ("<pad>", "<extra_id_0>")


@pytest.mark.parametrize("words", ["The bad", "my sleep"])
def test_spans_at_either_end(data: Path, words: str) -> None:
    example = show(opened(data, "t5-small", "t5-small", "seq2seq"), "The bad dog ruined my sleep", words)
    source, target = example.sequences
    ends = {
        "The bad": ("<extra_id_0> dog ruined my sleep </s>", "<extra_id_0> The bad <extra_id_1> </s>"),
        "my sleep": ("The bad dog ruined <extra_id_0> </s>", "<extra_id_0> my sleep </s>"),
    }
    assert (source.text, target.text) == ends[words]


def test_bert(data: Path) -> None:
    loaded = opened(data, "bert-base-uncased", "bert-tiny", "pairs")
    example = show(loaded, "The bad dog ruined my sleep", ["bad dog"])
    assert [token.id for token in example.text] == [1996, 2919, 3899, 9868, 2026, 3637]
    assert [one.predicts for one in example.sequences[0].places] == ["", "", "bad", "dog", "", "", "", ""]
    many = show(loaded, "dog " * 60, "dog").sequences[0].places[1:-1]
    kinds = [one.kind for one in many]
    assert {"mask", "random", "kept"} == set(kinds) and kinds.count("mask") > 40
    for one in many:
        assert one.kind == ("mask" if one.token == "[MASK]" else "kept" if one.token == "dog" else "random")
