"""A folder that carries Hornbook's own file is used as any other, and the file in it is never run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from hornbook.contract import examine, mend
from hornbook.dense_tokens.folder import wrap_folder
from hornbook.dense_tokens.options import DenseOptions
from hornbook.errors import HornbookError
from hornbook.evaluation.generate import generate
from hornbook.loading import Folder, load_model
from hornbook.loading.folder import SHIPPED
from hornbook.loading.model import open_trained
from hornbook.tokenizer import reindex


@pytest.fixture(params=["rotary", "alibi"])
def folder(request: pytest.FixtureRequest, save: Callable[..., Path], tmp_path: Path) -> Path:
    return save(tmp_path / "gpt_neo", "tinystories-1m", positions=request.param)


@pytest.fixture(autouse=True)
def no_code_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*given: Any, **named: Any) -> None:
        raise AssertionError("a folder's code would be run")

    monkeypatch.setattr(transformers.models.auto.auto_factory, "get_class_from_dynamic_module", run)
    monkeypatch.setattr(transformers.dynamic_module_utils, "get_class_in_module", run)


def test_unchanged_it_is_no_code(folder: Path) -> None:
    assert Folder(folder).ours and not Folder(folder).code
    loaded = load_model(folder)
    assert generate(loaded, "Once", 5, seed=1) is not None
    wrapped, _ = wrap_folder(folder, DenseOptions(share_positions=False))
    assert wrapped.model.transformer.wpe.weight.shape[0] == 0


def test_the_doctor_finds_it_healthy_and_copies_it(folder: Path, tmp_path: Path) -> None:
    report = examine(folder)
    assert not report.errors and "H02" not in [one.id for one in report.problems], report.problems
    config = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(config | {"model_max_length": 128}))
    told = {one.id: one for one in examine(folder).problems}
    assert "C29" in told and "C28" not in told  # there is no table to run out of
    mend(tmp_path / "mended", folder)
    assert Folder(tmp_path / "mended").ours and not examine(tmp_path / "mended").errors
    assert load_model(tmp_path / "mended").length == 64


def test_a_reindexed_model_keeps_it(folder: Path, tmp_path: Path) -> None:
    reindex(folder, tmp_path / "moved", place={"<mask>": 7}, model=folder)
    assert Folder(tmp_path / "moved").ours
    assert load_model(tmp_path / "moved").model.transformer.wpe.weight.shape[0] == 0


@pytest.mark.parametrize("opener", [load_model, open_trained, wrap_folder])
def test_changed_it_is_a_strangers(opener: Callable[..., Any], folder: Path) -> None:
    with (folder / SHIPPED.name).open("a") as file:
        file.write("\nprint('changed')\n")
    with pytest.raises(HornbookError, match=f"its {SHIPPED.name} isn't the one of this Hornbook"):
        opener(folder)
    told = [one.found for one in examine(folder).problems if one.id == "H02"]
    assert told and SHIPPED.name in told[0] and "this code isn't run" in told[0]
    (folder / SHIPPED.name).write_bytes(SHIPPED.read_bytes())  # as the refusal says
    opener(folder) if opener is not wrap_folder else wrap_folder(folder, DenseOptions(share_positions=False))


@pytest.mark.parametrize(
    "told",
    [{"scheme": "spiral"}, {"scheme": "rotary"}, {"scheme": "rotary", "table": "x", "queries_and_keys": [1]}],
)
def test_a_torn_description_is_refused(told: dict[str, Any], folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"positions": told}))
    with pytest.raises(HornbookError, match="can't be opened as GPTNeoForCausalLM"):
        load_model(folder)
    assert any(one.id == "H03" for one in examine(folder).problems)


def test_weights_and_file_come_back_as_they_were(folder: Path, tmp_path: Path) -> None:
    first, _ = open_trained(folder)
    first.save_pretrained(tmp_path / "again")
    second, _ = open_trained(tmp_path / "again")
    for name, one in first.state_dict().items():
        assert torch.equal(one, second.state_dict()[name])
    before, after = (json.loads((at / "config.json").read_text()) for at in (folder, tmp_path / "again"))
    assert before == after
