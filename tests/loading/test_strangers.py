"""A stranger's folder meets the same gate, whatever it is opened for."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BertConfig, BertLMHeadModel, GPT2Config, GPT2ForSequenceClassification

from hornbook.contract import examine
from hornbook.dense_tokens.folder import wrap_folder
from hornbook.errors import HornbookError
from hornbook.loading import load_model
from hornbook.loading.model import open_trained

OPENERS = {"evaluation": load_model, "reindex": open_trained, "dense": wrap_folder, "doctor": examine}
Open = Callable[[Path], Any]


@pytest.fixture(params=OPENERS)
def opener(request: pytest.FixtureRequest) -> Open:
    return OPENERS[request.param]


@pytest.fixture
def folder(save: Callable[..., Path], tmp_path: Path) -> Path:
    return save(tmp_path / "gpt_neo", "tinystories-1m")


def refused(opener: Open, folder: Path) -> str:
    with pytest.raises(HornbookError) as caught:
        opener(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


class Evil:
    """Unpickled, it leaves a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize(
    "name", ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"]
)
def test_a_link_that_leaves_the_folder(opener: Open, name: str, folder: Path, tmp_path: Path) -> None:
    (folder / name).rename(tmp_path / name)
    (folder / name).symlink_to(tmp_path / name)
    assert f"{name}: it leads out of the folder" in refused(opener, folder)


def test_an_index_that_names_another_file(opener: Open, folder: Path) -> None:
    index = {"weight_map": {"transformer.wte.weight": "../secret.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "'../secret.safetensors', which isn't a safetensors file of the folder" in refused(opener, folder)


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff\xfe", b'{"a":' * 100_000])
def test_torn_json(opener: Open, content: bytes, folder: Path) -> None:
    (folder / "config.json").write_bytes(content)
    assert "config.json: " in refused(opener, folder)


def test_json_without_end(opener: Open, folder: Path) -> None:
    with (folder / "tokenizer.json").open("wb") as file:
        file.truncate(2**31)  # sparse: it takes no place
    assert "2,147,483,648 bytes" in refused(opener, folder)


def test_code_is_not_run(opener: Open, folder: Path, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    (folder / "evil.py").write_text(f"open({str(mark)!r}, 'w')\nclass Config: pass\nclass Model: pass\n")
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"}
    (folder / "config.json").write_text(json.dumps(config))
    opener(folder)
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "evil"}))
    assert "evil" in refused(opener, folder)
    assert not mark.exists()


@pytest.mark.parametrize("opener", [load_model, open_trained, wrap_folder])
def test_a_pickle_is_not_opened(opener: Open, folder: Path, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Evil(mark)))
    assert "can't be opened as GPTNeoForCausalLM" in refused(opener, folder)
    torch.save({"weight": Evil(mark)}, folder / "pytorch_model.bin")
    assert "can't be opened as GPTNeoForCausalLM" in refused(opener, folder)
    assert not mark.exists()


def test_another_head_on_a_known_architecture(folder: Path) -> None:
    """Its weights would do for the usual class, whose head is tied; but that isn't what it was trained as."""
    config = GPT2Config(vocab_size=30, n_embd=8, n_layer=1, n_head=2)
    GPT2ForSequenceClassification(config).save_pretrained(folder)
    for opener in (load_model, open_trained, wrap_folder):
        assert "GPT2ForSequenceClassification" in refused(opener, folder)


def test_a_decoder_of_an_encoders_architecture(folder: Path) -> None:
    """It can be changed and written again, and not be evaluated as what its family is."""
    config = BertConfig(
        vocab_size=30,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        is_decoder=True,
    )
    BertLMHeadModel(config).to(torch.bfloat16).save_pretrained(folder)
    model, head = open_trained(folder)
    assert isinstance(model, BertLMHeadModel) and head == "causal" and model.dtype == torch.bfloat16
    assert "BertLMHeadModel, but only BertForMaskedLM" in refused(load_model, folder)


def test_a_class_that_is_not_named(folder: Path) -> None:
    """What is only used may be the usual class; what is written again has to have every weight."""
    config = json.loads((folder / "config.json").read_text())
    del config["architectures"]
    (folder / "config.json").write_text(json.dumps(config))
    assert load_model(folder).head == "causal"
    wrap_folder(folder)
    assert "doesn't name" in refused(open_trained, folder)


def test_a_runs_folder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    folder.rename(tmp_path / "run" / "model")
    for opener in (load_model, open_trained, wrap_folder):
        opener(tmp_path / "run")
