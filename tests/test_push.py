"""A run's card, and what of a run goes to the hub: to a server in this process, that keeps what it gets."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard, constants
from typer.testing import CliRunner

from hornbook.cli.app import app
from hornbook.errors import HornbookError
from hornbook.push import push
from hornbook.report.card import write_card

CORPUS = {
    "name": "a | b.txt",
    "fingerprint": "00ff" * 8,
    "train": {"documents": 90, "bytes": 9000, "tokens": 3000},
    "heldout": {"documents": 10, "bytes": 1000, "tokens": 300},
}
BITS = {
    "measure": "bits per byte",
    "value": 2.34567,
    "unit": "bits/byte",
    "over": "10 documents",
    "rule": "of all tokens",
    "comparable": "any",
}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run's folder, as it is after the training and the evaluation."""
    folder = tmp_path / "run"
    (folder / "model").mkdir(parents=True)
    facts = {
        "name": "mine",
        "family": "gpt_neo",
        "preset": "tinystories-3m",
        "objective": "causal",
        "parameters": 1234567,
        "tokenizer": {"kind": "BPE", "vocab_size": 500, "hash": "ab" * 20},
        "corpus": CORPUS,
        "length": 32,
        "steps": 10,
        "seed": 3,
        "versions": {"torch": "2.13"},
    }
    (folder / "run.json").write_text(json.dumps(facts))
    (folder / "recipe.yaml").write_text("name: mine\n")
    (folder / "evaluation.json").write_text(json.dumps({"measures": [BITS], "samples": []}))
    (folder / "model" / "config.json").write_text('{"model_type": "gpt_neo"}')
    (folder / "model" / "model.safetensors").write_bytes(bytes(range(256)))
    return folder


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """A hub that has what was created, and each committed file."""
    got: dict[str, Any] = {"files": {}, "created": []}

    class Hub(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer: dict[str, Any]
            if self.path == "/api/repos/create":
                got["created"].append(json.loads(body))
                answer = {"url": "http://127.0.0.1/owner/name"}
            elif self.path == "/api/validate-yaml":  # of the card
                answer = {"errors": [], "warnings": []}
            elif "/preupload/" in self.path:
                files = [{"path": one["path"], "uploadMode": "regular"} for one in json.loads(body)["files"]]
                answer = {"files": [one | {"shouldIgnore": False} for one in files]}
            else:
                for line in map(json.loads, body.decode().splitlines()):
                    if line["key"] == "file":
                        got["files"][line["value"]["path"]] = base64.b64decode(line["value"]["content"])
                answer = {
                    "success": True,
                    "commitOid": "0" * 40,
                    "commitUrl": "http://127.0.0.1/o/n/commit/0",
                }
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_TOKEN", "hf_none")
    yield got
    server.shutdown()


def test_the_hub_gets_the_model_and_what_belongs_to_it(run: Path, hub: dict[str, Any]) -> None:
    listed = push(run, "owner/name", private=True)
    assert sorted(hub["files"]) == listed
    assert listed == [
        "README.md",
        "config.json",
        "evaluation.json",
        "model.safetensors",
        "recipe.yaml",
        "run.json",
    ]
    assert hub["files"]["model.safetensors"] == bytes(range(256))
    [created] = hub["created"]  # releases of huggingface_hub say it in two ways
    assert created.get("private") is True or created["visibility"] == "private"
    assert hub["files"]["README.md"] == (run / "README.md").read_bytes()


def test_a_dry_run_uploads_nothing(run: Path, hub: dict[str, Any]) -> None:
    assert "config.json" in push(run, "owner/name", dry=True)
    assert not hub["created"] and not hub["files"]


def test_the_command(run: Path, hub: dict[str, Any]) -> None:
    """Without --dry-run it uploads, and says so."""
    dry = CliRunner().invoke(app, ["push", str(run), "owner/name", "--dry-run"])
    assert (
        dry.output.startswith("owner/name: would upload 6 files: README.md, config.json") and not hub["files"]
    )
    done = CliRunner().invoke(app, ["push", str(run), "owner/name", "--json"])
    assert json.loads(done.output) == {
        "repository": "owner/name",
        "files": sorted(hub["files"]),
        "uploaded": True,
    }


def test_the_card_is_the_hubs_and_has_the_figures_with_their_rules(run: Path) -> None:
    read = ModelCard.load(write_card(run))
    assert read.data.library_name == "transformers" and read.data.tags == ["hornbook", "gpt_neo", "causal"]
    for said in (
        "1,234,567 parameters",
        "a \\| b.txt",
        "| bits per byte | 2.346 bits/byte | 10 documents | of all",
    ):
        assert said in read.text
    assert "name: mine" in read.text and "trust_remote_code" not in read.text
    (run / "model" / "my_gpt.py").write_text("")
    assert "trust_remote_code=True" in write_card(run).read_text()


def test_a_card_with_words_of_ones_own_stays(run: Path) -> None:
    text = write_card(run).read_text().splitlines()
    own = "\n".join(line for line in text if not line.startswith("<!-- Hornbook"))
    (run / "README.md").write_text(own + "\nMine.")
    assert write_card(run).read_text() == own + "\nMine."


def test_a_run_before_its_end_has_a_card_and_is_not_pushed(run: Path) -> None:
    (run / "evaluation.json").unlink()
    (run / "model" / "config.json").unlink()
    assert "None yet" in write_card(run).read_text()
    with pytest.raises(HornbookError, match="training hasn't ended"):
        push(run, "owner/name")


def test_mistakes_are_told(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(HornbookError, match="write it as OWNER/NAME"):
        push(run, "name")
    with pytest.raises(HornbookError):
        push(tmp_path, "owner/name")
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")  # where nobody listens: no network
    with pytest.raises(HornbookError, match="owner/name can't be uploaded") as error:
        push(run, "owner/name")
    assert "\n" not in str(error.value)
