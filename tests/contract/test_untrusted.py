"""A hostile or torn folder gets one clear line, and nothing in it is run, unpickled or followed out of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from hornbook.contract import examine, mend
from hornbook.errors import HornbookError


def refused(folder: Path | str, *others: Any) -> str:
    with pytest.raises(HornbookError) as caught:
        examine(folder, *others)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_no_folder(tmp_path: Path) -> None:
    assert "no such folder" in refused(tmp_path / "nowhere")


def test_an_empty_folder(tmp_path: Path) -> None:
    assert "neither" in refused(tmp_path)


def test_a_folder_without_a_tokenizer_named_as_one(healthy: Any, tmp_path: Path) -> None:
    assert "no tokenizer" in refused(healthy("bert-tiny"), tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", b'{"model_type": "bert", '),
        ("config.json", b"[1, 2]"),
        ("config.json", b'{"a":' * 100_000),
        ("config.json", b"\xff\xfe\x00"),
        ("tokenizer_config.json", b"nothing"),
        ("tokenizer.json", b'{"model": {}}'),
        ("tokenizer.json", b"{}"),
    ],
)
def test_torn_json(name: str, content: bytes, sick: Any) -> None:
    folder = sick("bert-tiny")
    (folder / name).write_bytes(content)
    assert name in refused(folder)


def test_json_without_end(sick: Any) -> None:
    folder = sick("bert-tiny")
    with (folder / "config.json").open("wb") as file:
        file.truncate(2**31)  # sparse: it takes no place
    assert "2,147,483,648 bytes" in refused(folder)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "vocab.json", "model.safetensors"])
def test_a_link_that_leaves_the_folder(name: str, sick: Any, tmp_path: Path) -> None:
    folder = sick("bert-tiny", weights=True)
    secret = tmp_path / "secret.json"
    secret.write_text('{"model_type": "bert"}')
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(secret)
    assert "leads out of the folder" in refused(folder)


def test_the_hub_cache_has_links_of_its_own(healthy: Any, tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "model" / "blobs", tmp_path / "model" / "snapshots" / "abc"
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for path in healthy("bert-tiny").iterdir():
        (blobs / path.name).write_bytes(path.read_bytes())
        (snapshot / path.name).symlink_to(blobs / path.name)
    assert not examine(snapshot).errors


def test_an_index_that_names_another_file(sick: Any) -> None:
    folder = sick("bert-tiny", weights=True)
    index = {"weight_map": {"bert.pooler.dense.weight": "../../secret.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "../../secret.safetensors" in refused(folder)


def test_code_is_named_and_not_run(sick: Any, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    code = {"auto_map": {"AutoConfig": "evil.Config", "AutoTokenizer": ["evil.Tokenizer", None]}}
    folder = sick("bert-tiny", config=code, tokenizer_config=code)
    (folder / "evil.py").write_text(f"open({str(mark)!r}, 'w')\nclass Config: pass\nclass Tokenizer: pass\n")
    report = examine(folder)
    assert not mark.exists() and not report.errors
    assert any("evil.py" in one.found for one in report.problems if one.id == "H02")
    assert not mend(tmp_path / "mended", folder).errors
    assert not (tmp_path / "mended" / "evil.py").exists()


def test_an_architecture_that_only_its_code_knows(sick: Any) -> None:
    folder = sick("bert-tiny", config={"model_type": "evil", "auto_map": {"AutoConfig": "evil.Config"}})
    assert "'evil'" in refused(folder) and "never run" in refused(folder)


@pytest.mark.parametrize(
    "changes", [{"num_hidden_layers": 10**9}, {"hidden_size": 2**40, "vocab_size": 2**50}]
)
def test_a_model_of_impossible_size(sick: Any, changes: dict[str, int]) -> None:
    assert "at most" in refused(sick("bert-tiny", config=changes))


def test_torn_weights(sick: Any) -> None:
    folder = sick("bert-tiny", weights=True)
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:5000])
    [found] = [one.found for one in examine(folder).errors if one.id == "H03"]
    # It is the user's file that is named, and not the copy that was opened.
    assert found.startswith(f"the model can't be made: {folder / 'model.safetensors'}: ")


def test_nothing_is_written_over(healthy: Any, tmp_path: Path) -> None:
    with pytest.raises(HornbookError, match="exists already"):
        mend(tmp_path, healthy("bert-tiny"))
