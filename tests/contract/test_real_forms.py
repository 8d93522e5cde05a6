"""No false alarm on the forms in which real folders come, for the families and for their neighbours."""

import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import split_torch_state_dict_into_shards
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer

from hornbook.cli import main
from hornbook.contract import examine, mend
from tests.contract.published import PUBLISHED, publish, untie

SLOW = ("vocab.txt", "vocab.json", "merges.txt", "spiece.model")


def fast(name: str, folder: Path) -> None:
    """tokenizer.json alone, as transformers 5 saves it."""
    publish(name, folder)
    AutoTokenizer.from_pretrained(folder).save_pretrained(folder)
    for file in SLOW:
        (folder / file).unlink(missing_ok=True)


def old(name: str, folder: Path) -> None:
    """All that transformers 4 saved: both forms, special_tokens_map.json and added_tokens.json."""
    publish(name, folder)
    slow = {file: (folder / file).read_bytes() for file in SLOW if (folder / file).is_file()}
    said = (folder / "tokenizer_config.json").read_text("utf-8")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.save_pretrained(folder)
    for file, held in slow.items():
        (folder / file).write_bytes(held)
    (folder / "tokenizer_config.json").write_text(said, "utf-8")
    roles = {
        role: str(token) for role, token in tokenizer.special_tokens_map.items() if isinstance(token, str)
    }
    (folder / "special_tokens_map.json").write_text(json.dumps(roles), "utf-8")
    (folder / "added_tokens.json").write_text(json.dumps(tokenizer.get_added_vocab()), "utf-8")


def added(name: str, folder: Path) -> None:
    """The slow tokenizer's files with tokens that a user added, and rows for them."""
    publish(name, folder, multiple=64)
    number = len(AutoTokenizer.from_pretrained(folder))
    (folder / "added_tokens.json").write_text(json.dumps({"<new>": number, "<newer>": number + 1}), "utf-8")


def sharded(name: str, folder: Path) -> None:
    """Weights in several safetensors with an index."""
    publish(name, folder)
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    split = split_torch_state_dict_into_shards(weights, max_shard_size="30KB")
    for file, keys in split.filename_to_tensors.items():
        save_file({key: weights[key] for key in keys}, folder / file, {"format": "pt"})
    index = {"metadata": split.metadata, "weight_map": split.tensor_to_filename}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), "utf-8")


def pickled(name: str, folder: Path) -> None:
    """Weights as pytorch_model.bin: they aren't opened."""
    publish(name, folder)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def untied(name: str, folder: Path) -> None:
    """A head with values of its own, and a config that says so."""
    untie(publish(name, folder, tie_word_embeddings=False), folder)


def of_type(kind: torch.dtype) -> Callable[[str, Path], None]:
    def save(name: str, folder: Path) -> None:
        publish(name, folder)
        weights = load_file(folder / "model.safetensors")
        halved = {key: weight.to(kind) for key, weight in weights.items()}
        save_file(halved, folder / "model.safetensors", {"format": "pt"})
        config = json.loads((folder / "config.json").read_text("utf-8"))
        config |= {"torch_dtype": str(kind).removeprefix("torch.")}
        config.pop("dtype", None)
        (folder / "config.json").write_text(json.dumps(config), "utf-8")

    return save


FORMS: dict[str, Callable[[str, Path], Any]] = {
    "slow": publish,
    "fast": fast,
    "old": old,
    "added": added,
    "sharded": sharded,
    "pickled": pickled,
    "headless": lambda name, folder: publish(name, folder, PUBLISHED[name].headless),
    "classifier": lambda name, folder: publish(name, folder, PUBLISHED[name].classifier),
    "padded": lambda name, folder: publish(name, folder, multiple=128),
    "untied": untied,
    "half": of_type(torch.float16),
    "bfloat16": of_type(torch.bfloat16),
}
EXPLAINED: dict[str, set[str]] = {"roberta": {"C21"}, "mt5": {"C63"}, "umt5": {"C63"}}
"""transformers 5 adds RoBERTa's mask without lstrip, and reads mT5's unknown characters as <unk> beside its bytes."""

pytestmark = pytest.mark.long


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", PUBLISHED)
def test_a_healthy_folder_raises_no_alarm(name: str, form: str, tmp_path: Path) -> None:
    if (form == "classifier" and PUBLISHED[name].classifier is None) or (
        form == "untied" and name == "electra"
    ):
        pytest.skip("there is none")
    folder = tmp_path / name
    FORMS[form](name, folder)
    report = examine(folder)
    assert not report.errors, [f"{one.id} {one.found}" for one in report.errors]
    told = {one.id for one in report.warnings} - EXPLAINED.get(name, set())
    assert not told, [f"{one.id} {one.found}" for one in report.warnings]
    assert not [one.found for one in report.problems if "couldn't be looked at" in one.found]


@pytest.mark.parametrize("name", ["albert", "bert", "gpt2", "opt"])
def test_a_tokenizer_that_never_cuts_is_told(name: str, tmp_path: Path) -> None:
    """As the oldest folders are; OPT's has no family here, and nothing is guessed of its positions."""
    publish(name, tmp_path / name)
    path = tmp_path / name / "tokenizer_config.json"
    said = json.loads(path.read_text("utf-8"))
    del said["model_max_length"]
    path.write_text(json.dumps(said), "utf-8")
    told = [one.found for one in examine(tmp_path / name).warnings if one.id == "C28"]
    assert len(told) == (name != "opt") and all("64 tokens" in one for one in told)


def test_an_albert_for_pairs_is_told_that_it_gets_no_segments(tmp_path: Path) -> None:
    """transformers 5's class for ALBERT gives none, whatever the folder is."""
    publish("albert", tmp_path / "albert", "AlbertForPreTraining")
    report = examine(tmp_path / "albert")
    assert not report.errors and [one.id for one in report.warnings] == ["C39"]
    assert [one.id for one in examine(tmp_path / "albert", objective="masked_sentence_order").errors] == [
        "C39"
    ]


def test_a_tokenizer_that_cannot_be_opened_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """UMT5's spiece.model alone: transformers 5 has no class for it."""
    folder, new = tmp_path / "umt5", tmp_path / "new"
    publish("umt5", folder)
    right = AutoTokenizer.from_pretrained(folder)
    (folder / "tokenizer.json").unlink()
    [told] = [one for one in examine(folder).errors if one.id == "C60"]
    command = re.findall(r"`hornbook (tokenizer import [^`]+)`", told.fix)[0]
    words = command.replace("FOLDER", str(folder)).replace("FAMILY", "t5").replace("NEW", str(new)).split()
    monkeypatch.setattr(sys, "argv", ["hornbook", *words])
    with pytest.raises(SystemExit) as stop:
        main()
    assert not stop.value.code
    for file in ("config.json", "model.safetensors"):
        shutil.copyfile(folder / file, new / file)
    assert not examine(new).errors
    text = "The value of the object is the name of the class."
    assert AutoTokenizer.from_pretrained(new)(text).input_ids == right(text).input_ids


@pytest.mark.parametrize(("name", "id"), [("roberta", "C21"), ("mt5", "C63")])
def test_old_files_alone_are_mended(name: str, id: str, tmp_path: Path) -> None:
    """What transformers 5 makes of them is written as a tokenizer.json, and mended there."""
    publish(name, tmp_path / name)
    before = AutoTokenizer.from_pretrained(tmp_path / name)
    [told] = [one for one in examine(tmp_path / name).warnings if one.id == id]
    assert told.fixable
    report = mend(tmp_path / "mended", tmp_path / name)
    assert not report.errors and not report.warnings
    after = AutoTokenizer.from_pretrained(tmp_path / "mended")
    assert after.get_vocab() == before.get_vocab()
    assert after.special_tokens_map == before.special_tokens_map
    text = "The value of the object is the name of the class."
    assert after(text).input_ids == before(text).input_ids
