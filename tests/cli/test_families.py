"""`hornbook families`: the list, and one preset described."""

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from hornbook import presets
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


@pytest.mark.long
@pytest.mark.parametrize("preset", ["tinystories-1m", "robertalbert", "pythia-14m"])
def test_a_description_keeps_names_whole(preset: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 80 columns has as many words as a wide one."""
    told = {}
    for columns in ("80", "200"):
        monkeypatch.setenv("COLUMNS", columns)
        code, out, _ = run("describe", preset)
        assert code == 0
        told[columns] = out
    assert max(map(len, told["80"].splitlines())) <= 80
    words, wide = ({word.strip(";,") for word in one.split()} for one in (told["80"], told["200"]))
    assert wide - words == set()


def test_the_list_is_the_families_own() -> None:
    """If this fails: python -m hornbook.presets."""
    assert presets.presets() == presets.compute()


def test_the_list_is_made_anew_where_another_package_has_families(
    package: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presets, "compute", lambda: [{"preset": "made anew"}])
    assert presets.presets()[0]["preset"] != "made anew"
    package("hornbook_more", "more", group="hornbook.families")
    assert presets.presets() == [{"preset": "made anew"}]


COMMAND = [sys.executable, "-m", "hornbook", "families"]


@pytest.mark.parametrize("command", ["families", "recipes"])
def test_the_list_loads_no_torch(command: str) -> None:
    """A second is the goal, and a timed assertion would say more of the machine: what costs seconds isn't loaded."""
    code = (
        "import sys; from hornbook.cli import app\n"
        f"try: app([{command!r}])\n"
        "except SystemExit: print(sorted({'torch', 'transformers', 'numpy'} & set(sys.modules)), file=sys.stderr)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.stderr == "[]\n" and "bert" in found.stdout


def test_a_narrow_terminal_without_colour() -> None:
    told = subprocess.run(
        COMMAND,
        capture_output=True,
        text=True,
        env=os.environ | {"COLUMNS": "40", "NO_COLOR": "1"},
    )
    assert told.returncode == 0 and not told.stderr and "\x1b" not in told.stdout
    listed = told.stdout.partition("\n\n")[0]
    assert max(map(len, listed.splitlines())) <= 40
    assert "4,433,468" in told.stdout  # no name or number is cut into pieces
    assert [line for line in listed.splitlines() if line[0] != " "] == list(PRESETS)


def test_a_closed_stdout() -> None:
    with subprocess.Popen([*COMMAND, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""


def test_a_description_for_people(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
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
