"""A model that is too large to open is looked at as far as it goes, and the doctor says how far that is."""

from typing import Any

import pytest

from hornbook.contract import examine, opening
from hornbook.errors import HornbookError
from tests.contract.claims import claim


@claim("H09")
def test_a_large_model_is_told(healthy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = healthy("bert-tiny")
    small = examine(folder)
    monkeypatch.setattr(opening, "_PARAMETERS", 1000)
    large = examine(folder)
    note = next(one for one in large.problems if one.id == "H09")
    left = set(small.checked) - set(large.checked)
    assert left and not large.errors
    assert note.severity == "note" and all(id in note.found for id in left)
    assert not any(id in note.found for id in large.checked)
    assert "more than the doctor's limit of 1,000" in note.found
    assert not any(one.id == "H09" for one in small.problems)


def test_without_its_weights_two_layers_are_enough(sick: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = sick("bert-tiny")
    two = sum(parameter.numel() for parameter in opened(folder).parameters())
    monkeypatch.setattr(opening, "_PARAMETERS", two)
    report = examine(sick("bert-tiny", config={"num_hidden_layers": 50}))
    assert "C52" in report.checked and "H09" not in {one.id for one in report.problems}


def opened(folder: Any) -> Any:
    from transformers import AutoConfig, BertForMaskedLM

    config = AutoConfig.from_pretrained(folder)
    assert config.num_hidden_layers == 2
    return BertForMaskedLM(config)


def test_layers_beyond_reason(sick: Any) -> None:
    with pytest.raises(HornbookError, match="num_hidden_layers is 1,000,000,000, and at most 512 is opened"):
        examine(sick("bert-tiny", config={"num_hidden_layers": 10**9}))
