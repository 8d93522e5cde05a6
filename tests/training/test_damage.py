"""Each damaged file of a run is a sentence with a way on, and that way leads to the same bits."""

import errno
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from hornbook.errors import Damaged, HornbookError
from hornbook.loading import load_model
from hornbook.recipe import Recipe, make_recipe, read_run_recipe
from hornbook.report import read_run
from hornbook.sealed import find_damage, read_sealed, write_manifest, write_sealed
from hornbook.testing.runs import weights_of
from hornbook.training.callbacks import Callback, TrainingLoop
from hornbook.training.log import Log, read_log
from hornbook.training.train import start, train
from tests.training.launching import SMALL
from tests.training.test_going_on import Listener


class Stop(Callback):
    def on_save(self, loop: TrainingLoop) -> None:
        if loop.progress.step == 2:
            raise KeyboardInterrupt


@pytest.fixture
def recipe(recipe_of: Callable[..., Recipe], tmp_path: Path) -> Recipe:
    """A run of three steps with a cache of its own."""
    given = recipe_of(SMALL, "causal", steps=3, checkpoint_every=1, precision="fp32", log_every=1)
    return make_recipe({**given.model_dump(mode="json"), "cache": str(tmp_path / "cache")})


def run(recipe: Recipe, *callbacks: Callback) -> str:
    heard = Listener()
    start(recipe, heard, callbacks=callbacks).train()
    return "\n".join(heard.warned)


def flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(bytes(raw))


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


@pytest.mark.long
def test_a_finished_run_mends_itself(recipe: Recipe, tmp_path: Path) -> None:
    run(recipe)
    folder, cache = recipe.folder, tmp_path / "cache"
    whole = {name: one.clone() for name, one in weights_of(folder / "model").items()}  # the file is mapped

    def mended(said: str, again: bool = False) -> None:
        assert re.search(said, run(recipe))
        found = weights_of(folder / "model")
        assert found.keys() == whole.keys() and all(torch.equal(whole[name], found[name]) for name in whole)
        assert bool(re.search(said, run(recipe))) is again

    flip(folder / "model" / "model.safetensors")
    with pytest.raises(Damaged, match=r"model.safetensors was altered.*`hornbook train`"):
        load_model(folder)
    mended(r"model: model.safetensors was altered.*made again from its checkpoint")
    (folder / "model" / "model.safetensors").unlink()
    mended("model.safetensors is missing")
    (folder / "run.json").write_text("")
    with pytest.raises(Damaged, match=r"run.json: was torn.*`hornbook train`"):
        read_run(folder)
    mended(r"run.json: was torn or altered.*restored from .*step-00000003")
    (folder / "evaluation.json").write_text("")
    heard = Listener()
    train(recipe, report=heard)
    assert re.search(r"evaluation.json: was torn or altered .*: it is written anew", " ".join(heard.warned))
    assert read_sealed(folder / "evaluation.json", "")["measures"] and (folder / "page.html").exists()
    flip(folder / "recipe.yaml")
    run(recipe)
    assert read_run_recipe(folder).model_dump() == recipe.model_dump()
    assert "vocab_size" in read_run(folder).recipe
    [tokens, _] = sorted(one for one in (cache / "tokens").iterdir() if one.is_dir())
    zero(tokens / "tokens.bin")
    mended(r"tokens.bin was altered.*: it is made again")
    flip(next((cache / "tokenizers").glob("*/tokenizer.json")))
    mended("tokenizer.json was altered.*made again")

    began = json.loads((folder / "run.json").read_text("utf-8"))["began_with"]
    for path in (folder / "checkpoints").glob("*/progress.json"):
        path.unlink()
    mended("none is whole, so that this run can't be extended; its model is whole", again=True)
    assert json.loads((folder / "run.json").read_text("utf-8"))["began_with"] == began
    shutil.rmtree(folder / "checkpoints")
    flip(folder / "model" / "model.safetensors")
    with pytest.raises(Damaged, match=r"no checkpoint is left .* or delete it to train it anew"):
        run(recipe)
    shutil.rmtree(folder / "model")
    run(recipe)
    assert all(torch.equal(one, whole[name]) for name, one in weights_of(folder / "model").items())


@pytest.mark.long
def test_a_run_that_was_cut_off_goes_back_one_checkpoint_or_begins_anew(
    recipe: Recipe, tmp_path: Path
) -> None:
    whole = make_recipe({**recipe.model_dump(mode="json"), "out": str(tmp_path / "whole")})
    run(whole)
    with pytest.raises(KeyboardInterrupt):
        run(recipe, Stop())
    newest, before = (recipe.folder / "checkpoints" / f"step-0000000{step}" for step in (2, 1))
    manifest = json.loads((newest / "manifest.json").read_text("utf-8"))
    (newest / "manifest.json").write_text(json.dumps({"files": {}}), "utf-8")
    flip(newest / "model.safetensors")
    assert "manifest.json doesn't name" in load_model(recipe.folder).remark
    (newest / "manifest.json").write_text(json.dumps(manifest | {"files": {}}), "utf-8")
    kept = tmp_path / "kept"
    shutil.copytree(recipe.folder, kept)
    assert "going back to the checkpoint before it" in run(recipe)
    assert all(
        torch.equal(one, weights_of(whole.folder / "model")[name])
        for name, one in weights_of(recipe.folder / "model").items()
    )
    shutil.rmtree(recipe.folder)
    shutil.move(kept, recipe.folder)
    (before / "progress.json").unlink()
    with pytest.raises(HornbookError) as refused:
        run(recipe)
    place, said = str(refused.value).split(": ", 1)
    assert said == "none of the 2 checkpoints is whole: delete this folder to begin anew"
    shutil.rmtree(place)
    run(recipe)
    assert len(weights_of(recipe.folder / "model")) == len(weights_of(whole.folder / "model"))


def test_lines_of_the_log_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    log = Log(path, 0)
    for step in (1, 2, 3, 4):
        log.write("train", {"step": step, "loss": step / 3})
    lines = path.read_bytes().splitlines()
    lines[1] = lines[1].replace(b"0.66", b"0.67")
    lines[2] = lines[2].replace(b"train", b"tr\xff\xfen")
    path.write_bytes(b"\n".join([*lines, b'{"kind": "tra']))
    assert [line["step"] for line in read_log(path)] == [1, 4]
    told: list[str] = []
    Log(path, 4, told.append)
    assert told == [f"{path}: 2 lines were torn or altered, such as line 2; they are left out"]
    assert [line["step"] for line in read_log(path)] == [1, 4]


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "\x00\x00", '{"a": 2, "sha256": "%s"}', "[" * 10**5])
def test_a_sealed_file_that_was_altered_is_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_sealed(path, {"a": 1, "b": {3: (1.5, None)}})
    assert read_sealed(path, "no") == {"a": 1, "b": {"3": [1.5, None]}}
    path.write_text(text.replace("%s", json.loads(path.read_text())["sha256"]))
    with pytest.raises(Damaged, match=r"x.json: was torn or altered .*: write it again$"):
        read_sealed(path, "write it again")


@pytest.mark.parametrize("name", ["weights", "manifest.json"])
def test_a_file_of_somebody_else_is_not_damaged(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To make it again, or to go back to an older one, would be the wrong way on."""
    (tmp_path / "weights").write_text("0")
    write_manifest(tmp_path)
    loaded = Path.open

    def refused(self: Path, *given: Any, **more: Any) -> Any:
        if self.name == name:  # whoever runs the tests may be allowed to read everything
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return loaded(self, *given, **more)

    assert find_damage(tmp_path) is None
    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(HornbookError, match=f"{name}: you may not read or write here: ask its owner"):
        find_damage(tmp_path)
