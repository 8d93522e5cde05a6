"""The mistakes of the notes that Hornbook began with, on the real files, told in words that a student understands."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from transformers import PreTrainedTokenizerFast

from hornbook.contract import Report, examine, mend


def told(report: Report) -> dict[str, str]:
    return {one.id: one.found for one in report.problems}


@pytest.fixture
def config(tmp_path: Path) -> Any:
    """Give the maker of a folder with nothing but a config.json."""

    def make(kind: str, **values: Any) -> Path:
        folder = tmp_path / f"my-{kind}"
        folder.mkdir()
        small = {"hidden_size": 32, "num_attention_heads": 4, "num_hidden_layers": 2, "intermediate_size": 48}
        gpt = {
            "hidden_size": 32,
            "num_heads": 4,
            "num_layers": 2,
            "attention_types": [[["global", "local"], 1]],
        }
        sizes = gpt if kind == "gpt_neo" else small
        (folder / "config.json").write_text(json.dumps({"model_type": kind, **sizes, **values}))
        return folder

    return make


def test_roberta_on_a_tokenizer_for_gpt(data: Path, config: Any) -> None:
    ids = {"pad_token_id": 9999, "bos_token_id": 9999, "eos_token_id": 9999}
    folder = config("roberta", vocab_size=10000, max_position_embeddings=512, **ids)
    found = told(examine(folder, data / "tokenizers" / "10k-gpt-neo"))
    assert found["C07"] == "pad_token_id is 9,999, and there are 512 positions, 0 to 511"
    assert "pad and bos, eos, unk are one token, id 9999" in found["C10"]
    assert "no mask token" in found["C14"]


def test_one_position_short(data: Path, config: Any, tmp_path: Path) -> None:
    ids = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    folder = config("roberta", vocab_size=10048, max_position_embeddings=512, type_vocab_size=1, **ids)
    report = examine(folder, data / "tokenizers" / "10k-tok")
    assert {one.id for one in report.errors} == {"C08"}
    assert "512 + 0 + 1 = 513 positions, and there are 512: only 511 tokens fit" in told(report)["C08"]
    mended = mend(tmp_path / "mended", folder, data / "tokenizers" / "10k-tok")
    assert not mended.errors and not mended.warnings
    assert json.loads((tmp_path / "mended" / "config.json").read_text())["max_position_embeddings"] == 513


def test_a_gpt_with_a_tokenizer_for_roberta(data: Path, config: Any, tmp_path: Path) -> None:
    ids = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    folder = config("gpt_neo", vocab_size=10048, max_position_embeddings=512, **ids)
    report = examine(folder, data / "tokenizers" / "10k-tok")
    assert told(report)["C25"] == "the prompt 'a' is read as <s> a </s>: it ends in </s>"
    mended = mend(tmp_path / "mended", folder, data / "tokenizers" / "10k-tok")
    assert not mended.errors and not mended.warnings
    assert PreTrainedTokenizerFast.from_pretrained(tmp_path / "mended").tokenize("a") == ["a"]


def test_the_mask_that_the_class_adds(data: Path, config: Any, tmp_path: Path) -> None:
    """RobertaTokenizer adds <mask> and more past the end of GPT's vocabulary, and lets the mask leave its space."""
    tokens = tmp_path / "tokens"
    tokens.mkdir()
    shutil.copyfile(data / "tokenizers" / "10k-gpt-neo" / "tokenizer.json", tokens / "tokenizer.json")
    (tokens / "tokenizer_config.json").write_text('{"tokenizer_class": "RobertaTokenizer"}')
    found = told(examine(config("roberta", vocab_size=10000, max_position_embeddings=514), tokens))
    assert found["C21"] == "'a <mask> b' is read as a Ġ <mask> Ġb"
    assert "vocab_size is 10,000" in found["C15"] and "<mask>" in found["C15"]


def test_a_recipe_for_ten_thousand_words_with_the_default_vocabulary(data: Path, config: Any) -> None:
    folder = config("roberta", vocab_size=50265, max_position_embeddings=514, pad_token_id=0)
    assert "80% of the rows have no token" in told(examine(folder, data / "tokenizers" / "10k-tok"))["C17"]
