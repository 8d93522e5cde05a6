"""The token, and folders that anyone opens."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast

from hornbook.dense_tokens import TOKEN, DenseModel, DenseOptions, add_dense_token
from hornbook.dense_tokens.folder import open_dense, save_dense, wrap_folder
from hornbook.errors import HornbookError
from hornbook.objectives import READING


def test_padded_rows_are_used_and_stay(
    model: Callable[..., PreTrainedModel], tokenizer: PreTrainedTokenizerFast
) -> None:
    plain = model("gpt_neox")  # 30 rows for 26 ids, as Pythia has 50,304 for 50,277
    before = plain.get_input_embeddings().weight.detach().clone()
    assert add_dense_token(plain, tokenizer) == 26
    table = plain.get_input_embeddings().weight
    assert table.shape == (30, 16) and plain.config.vocab_size == 30
    torch.testing.assert_close(table[26], before[:26].mean(0))
    others = [row for row in range(30) if row != 26]
    assert torch.equal(table[others], before[others])
    assert add_dense_token(plain, tokenizer) == 26  # again changes nothing
    assert tokenizer.convert_ids_to_tokens(26) == TOKEN and tokenizer.eos_token == "<|endoftext|>"
    assert tokenizer.decode([1, 26, 2], skip_special_tokens=True).split() == ["w1", "w2"]


@pytest.mark.parametrize("tied", [True, False])
def test_a_full_table_gets_one_row(
    tied: bool, model: Callable[..., PreTrainedModel], tokenizer: PreTrainedTokenizerFast
) -> None:
    plain = model("gpt_neox", vocab_size=26, tie_word_embeddings=tied)
    before = plain.get_output_embeddings().weight.detach().clone()
    assert add_dense_token(plain, tokenizer) == 26
    head = plain.get_output_embeddings().weight
    assert head.shape == (27, 16) and plain.config.vocab_size == 27
    assert torch.equal(head[:26], before)
    torch.testing.assert_close(head[26], before.mean(0))
    assert (head is plain.get_input_embeddings().weight) == tied


@pytest.mark.parametrize("kind", ["gpt_neox", "gpt2", "llama"])
def test_saved_it_is_a_plain_folder(
    kind: str, model: Callable[..., PreTrainedModel], tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    plain = model(kind).eval()
    dense = DenseModel(plain, add_dense_token(plain, tokenizer), DenseOptions(share_positions=False))
    save_dense(dense, tokenizer, tmp_path / "saved")
    ids = torch.tensor([[1, 2, 26, 3, 26, 4]])
    with torch.no_grad():
        anyones = AutoModelForCausalLM.from_pretrained(tmp_path / "saved")
        pause = dense(ids, rounds=0)  # dense tokens without vectors
        torch.testing.assert_close(anyones(ids).logits, pause.head(pause.hidden), atol=2e-5, rtol=1e-4)
        loaded, own = open_dense(tmp_path / "saved")
        assert loaded.options == dense.options and loaded.dense_id == 26
        assert torch.equal(loaded(ids).hidden, dense(ids).hidden)
        again, _ = wrap_folder(tmp_path / "saved")
        assert torch.equal(again(ids).hidden, dense(ids).hidden)
    theirs = AutoTokenizer.from_pretrained(tmp_path / "saved")
    assert theirs.get_vocab() == tokenizer.get_vocab() == own.get_vocab()
    assert theirs(f"w1 {TOKEN} w2")["input_ids"] == [1, 26, 2]


def test_a_name_on_the_hub(
    model: Callable[..., PreTrainedModel],
    tokenizer: PreTrainedTokenizerFast,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stored = tmp_path / "stored"
    plain = model("gpt_neox")
    plain.save_pretrained(stored)
    tokenizer.save_pretrained(stored)
    asked = []

    def snapshot(name: str, **_: object) -> str:
        asked.append(name)
        return str(stored)

    monkeypatch.setattr("hornbook.hub.snapshot_download", snapshot)
    monkeypatch.chdir(tmp_path)
    wrapped, _ = wrap_folder(Path("EleutherAI/pythia-70m"))
    assert asked == ["EleutherAI/pythia-70m"]
    assert torch.equal(
        wrapped.model.state_dict()["gpt_neox.layers.0.mlp.dense_h_to_4h.weight"],
        plain.state_dict()["gpt_neox.layers.0.mlp.dense_h_to_4h.weight"],
    )


@pytest.mark.slow
def test_a_real_pythia() -> None:
    try:
        wrapped, tokenizer = wrap_folder(Path("EleutherAI/pythia-14m"))
    except HornbookError as error:
        pytest.skip(str(error))
    assert wrapped.model.get_input_embeddings().weight.shape[0] == 50304
    assert wrapped.dense_id == len(tokenizer) - 1 < 50304


def test_a_model_that_reads_from_right_to_left_is_refused(
    model: Callable[..., PreTrainedModel], tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    plain = model("gpt_neox")
    setattr(plain.config, READING, "right to left")
    plain.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(HornbookError, match=r"learned to read right to left, and dense tokens read left to"):
        wrap_folder(tmp_path)
