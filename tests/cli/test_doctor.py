"""`hornbook doctor`: exit codes, the form of its JSON, and words that a student understands."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import GPTNeoConfig, GPTNeoForCausalLM

from hornbook.cli import main
from hornbook.tokenizers import STYLES, TokenizerOptions, build_fast_tokenizer, train

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Give exit code, stdout and stderr of `hornbook doctor ...`."""

    def one(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["hornbook", "doctor", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        told = capsys.readouterr()
        return int(stop.value.code or 0), told.out, told.err

    return one


@pytest.fixture
def folder(tmp_path: Path, stories: list[str]) -> Path:
    """Give a GPT-Neo and a tokenizer that fit each other."""
    tokenizer = build_fast_tokenizer(
        train(stories, TokenizerOptions(vocab_size=400), STYLES["shared"], 0), "causal", 64, STYLES["shared"]
    )
    config = GPTNeoConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_layers=2,
        num_heads=4,
        attention_types=[[["global", "local"], 1]],
        max_position_embeddings=64,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    GPTNeoForCausalLM(config).save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def spoil(folder: Path) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"eos_token_id": 50256}))


def test_a_healthy_folder(run: Run, folder: Path) -> None:
    code, out, _ = run(folder)
    assert code == 0 and "0 errors, 0 warnings" in out


def test_an_error(run: Run, folder: Path) -> None:
    spoil(folder)
    code, out, _ = run(folder)
    assert code == 1
    assert "error C27: eos_token_id is 50256 in config.json, 2 in the tokenizer" in out
    assert "Why it matters:" in out and "What to do:" in out and "--fix can do it" in out


def test_json_is_exactly_as_promised(run: Run, folder: Path) -> None:
    spoil(folder)
    code, out, _ = run(folder, "--json")
    facts = json.loads(out)
    assert code == 1 and facts.keys() == {"problems", "checked"}
    keys = {"id", "severity", "found", "why", "fix", "fixable"}
    assert all(
        one.keys() == keys and one["severity"] in ("error", "warning", "note") for one in facts["problems"]
    )
    assert (
        "C27" in facts["checked"]
        and facts["problems"][0]["id"] == "C27"
        and facts["problems"][0]["fixable"] is True
    )


def test_fix(run: Run, folder: Path, tmp_path: Path) -> None:
    spoil(folder)
    code, out, _ = run(folder, "--fix", tmp_path / "mended")
    assert code == 0 and "0 errors, 0 warnings" in out
    assert json.loads((tmp_path / "mended" / "config.json").read_text())["eos_token_id"] == 2
    assert json.loads((folder / "config.json").read_text())["eos_token_id"] == 50256
    assert run(folder, "--fix", tmp_path / "mended")[0] == 2


def test_what_cannot_be_read(run: Run, tmp_path: Path, folder: Path) -> None:
    code, _, err = run(tmp_path / "nowhere")
    assert code == 2 and len(err.strip().splitlines()) == 1 and "nowhere" in err
    code, _, err = run(folder, "--text", tmp_path / "nothing.txt")
    assert code == 2 and "nothing.txt" in err
    code, _, err = run(folder, "--objective", "mystic")
    assert code == 2 and "causal" in err


def test_text(run: Run, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("It says </s> here.\n\nAnd <mask> there.")
    code, out, _ = run(folder, "--text", tmp_path / "text.txt")
    assert code == 0 and "warning C22: the text holds </s> (1 times), <mask> (1 times)" in out
