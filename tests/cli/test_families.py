"""`hornbook families`: the list, and one preset described."""

import json
import sys
from collections.abc import Callable

import pytest

from hornbook.cli import main
from hornbook.families import PRESETS

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Give exit code, stdout and stderr of `hornbook families ...`."""

    def one(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["hornbook", "families", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        told = capsys.readouterr()
        return int(stop.value.code or 0), told.out, told.err

    return one


def test_the_bare_command_lists_every_preset(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, _ = run("--json")
    assert code == 0
    serves = {row["preset"]: row["objectives"] for row in json.loads(out)}
    assert list(serves) == list(PRESETS)
    assert serves["bert-tiny"] == "masked, masked_next_sentence, masked_sentence_order"
    assert (
        serves["robertalbert"] == serves["roberta-base"] == "masked"
    )  # the one has a single type of segment
    assert serves["pythia-14m"] == "causal, denoisers" and serves["t5-small"] == "span_corruption, denoisers"
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = run()
    assert code == 0
    # Each on a line of its own, also where a terminal has 80 columns.
    assert [line.split()[0] for line in out.splitlines()[1 : len(PRESETS) + 1]] == list(PRESETS)
    assert max(map(len, out.splitlines())) <= 80
    assert ["pythia-14m", "gpt_neox", "14,067,712", "50,304", "2,048"] in [
        row.split() for row in out.splitlines()
    ]


def test_a_description_for_people(run: Run) -> None:
    code, out, _ = run("describe", "albert-base-v2")
    assert code == 0
    assert "shared by 12 layers, counted once" in out
    assert "weight is albert.embeddings.word_embeddings.weight" in out
    assert "counted once: 11,221,680" in out
    assert "AlbertModel: 11,683,584" in out
    assert "2204.02311" in out


def test_rows_that_no_token_takes_are_told(run: Run) -> None:
    _, out, _ = run("describe", "robertalbert")
    assert (
        "no token takes, for 512 tokens: 512, 513" in out
    )  # ALBERT counts from 0, the rows are RoBERTa's 514
    _, out, _ = run("describe", "roberta-base", "--length", "514")
    assert "no token takes, for 514 tokens: 0, 1" in out  # the 516th row is the 514th token's
    assert "no token takes" not in run("describe", "albert-base-v2")[1] + run("describe", "t5-small")[1]


def test_a_description_for_programs(run: Run) -> None:
    code, out, err = run("describe", "t5-small", "--json")
    facts = json.loads(out)
    assert code == 0
    assert facts["parameters"] == facts["published_parameters"] == 60_506_624
    assert [cost["token"] for cost in facts["costs"]] == ["input token", "target token"]
    assert {"key": "d_kv", "value": 64, "origin": "hf.co/google-t5/t5-small"} in facts["values"]
    assert err == ""


def test_vocabulary_and_length_can_be_given(run: Run) -> None:
    code, out, _ = run("describe", "bert-tiny", "--vocab-size", "100", "--length", "16", "--json")
    facts = json.loads(out)
    assert code == 0
    assert facts["layers"][0]["weights"] == {"weight": [100, 128]}
    assert facts["layers"][0]["output"] == [1, 16, 128]


def test_an_unknown_preset_is_one_line(run: Run) -> None:
    code, out, err = run("describe", "bert-tny")
    assert (code, out) == (2, "")
    assert err.strip() == "hornbook: there is no preset 'bert-tny'; did you mean 'bert-tiny'?"
