import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hornbook.cli import main
from hornbook.report import compare, compare_table, read_run
from hornbook.report.comparison import remarks

Make = Callable[..., Path]


def heldout(folder: Path, measure: str, value: float, unit: str) -> Path:
    figure = {"measure": measure, "value": value, "unit": unit}
    (folder / "evaluation.json").write_text(json.dumps({"measures": [figure]}))
    return folder


def test_rows_have_the_same_keys_and_raw_numbers(three: list[Path]) -> None:
    rows = compare_table([read_run(folder) for folder in three])
    assert len({tuple(row) for row in rows}) == 1
    assert [row["parameters"] for row in rows] == [1_478_528, 2_912_384, 3_104_896]
    assert [row["tokenizer"] for row in rows] == ["wordpiece 8192", "bpe 8192", "unigram 8192"]
    assert [row["tokens"] for row in rows] == [600 * 4096] * 3
    assert [row["bits per byte (bits/byte)"] is None for row in rows] == [True, False, True]
    assert json.loads(json.dumps(rows)) == rows


def test_a_measure_of_the_same_name_never_mixes_objectives_or_tokenizers(make_run: Make) -> None:
    folders = [
        heldout(make_run("a"), "loss", 1.0, "nats/label"),
        heldout(make_run("b"), "loss", 2.0, "nats/label"),
        heldout(make_run("c", objective="masked", family="bert"), "loss", 3.0, "nats/label"),
        heldout(make_run("d", tokenizer=("bpe", 4096, "00ff00ff")), "loss", 4.0, "nats/label"),
    ]
    rows = compare_table([read_run(folder) for folder in folders])
    found = [tuple(row[key] for row in rows) for key in rows[0] if key.startswith("loss")]
    assert found == [(1.0, 2.0, None, None), (None, None, 3.0, None), (None, None, None, 4.0)]


def test_figures_per_byte_share_a_column_over_the_same_text_only(make_run: Make) -> None:
    size = {"documents": 1, "bytes": 1, "tokens": 1}
    elsewhere = {"name": "stories", "fingerprint": "ffff", "train": size, "heldout": size}
    folders = [
        heldout(make_run("a"), "bits per byte", 1.0, "bits/byte"),
        heldout(make_run("b", tokenizer=("bpe", 4096, "00ff")), "bits per byte", 2.0, "bits/byte"),
        heldout(make_run("c", corpus=elsewhere), "bits per byte", 3.0, "bits/byte"),
    ]
    runs = [read_run(folder) for folder in folders]
    rows = compare_table(runs)
    found = [tuple(row[key] for row in rows) for key in rows[0] if key.startswith("bits per byte")]
    assert found == [(1.0, 2.0, None), (None, None, 3.0)]
    assert any("only figures per byte" in remark for remark in remarks(runs))
    assert any("corpora differ" in remark for remark in remarks(runs))


def test_an_unfinished_run_shows_its_latest_evaluation(make_run: Make) -> None:
    run = read_run(make_run("going", done=120))
    row = compare_table([run])[0]
    assert (row["step"], row["steps"]) == (120, 600)
    assert row["held-out loss so far (nats/label)"] == run.evaluate[-1].loss
    assert row["bits per byte so far (bits/byte)"] == run.evaluate[-1].bits_per_byte
    assert remarks([run]) == ["going has done 120 of its 600 steps."]


def test_runs_of_one_name_are_told_apart(make_run: Make, tmp_path: Path) -> None:
    first = read_run(make_run("same"))
    (tmp_path / "same").rename(tmp_path / "first")
    second = read_run(make_run("same"))
    names = [row["name"] for row in compare_table([read_run(tmp_path / "first"), second])]
    assert names == ["same (first)", "same (same)"] and first.name == "same"


def test_intervals_stand_beside_their_figures(make_run: Make, monkeypatch, capsys, tmp_path: Path) -> None:
    pairs = {"measure": "BLiMP", "value": 58.25, "unit": "% right", "low": 57.9, "high": 58.6, "scope": "67"}
    first, second = make_run("a"), make_run("b")
    (first / "tasks").mkdir()
    (first / "tasks/blimp.json").write_text(json.dumps({"measures": [pairs]}))
    one, other = compare_table([read_run(first), read_run(second)])
    key = "BLiMP (% right)"
    assert [one[name] for name in (key, f"{key}, from", f"{key}, to")] == [58.25, 57.9, 58.6]
    assert [other[name] for name in (key, f"{key}, from", f"{key}, to")] == [None] * 3
    page = tmp_path / "compare.html"
    monkeypatch.setattr(sys, "argv", ["hornbook", "compare", str(first), str(second), "--page", str(page)])
    with pytest.raises(SystemExit) as stop:
        main()
    assert not stop.value.code
    told = " ".join(capsys.readouterr().out.split())
    assert f"{key} 58.25 (57.9 to 58.6)" in told and ", from" not in told
    assert "57.900 to 58.600</small>" in page.read_text("utf-8")


def test_the_terminal_has_the_whole_and_the_page_its_parts(
    make_run: Make, monkeypatch, capsys, tmp_path: Path
) -> None:
    run = make_run("a")
    (run / "tasks").mkdir()
    figures = [
        {
            "measure": name,
            "value": value,
            "unit": "% right",
            "low": value - 1,
            "high": value + 1,
            "scope": "67",
        }
        for name, value in (("BLiMP", 58.25), ("BLiMP, islands", 47.5), ("BLiMP-like", 61.5))
    ]
    (run / "tasks/blimp.json").write_text(json.dumps({"measures": figures}))
    page = tmp_path / "compare.html"

    def told(*options: str) -> str:
        monkeypatch.setattr(sys, "argv", ["hornbook", "compare", str(run), "--page", str(page), *options])
        with pytest.raises(SystemExit) as stop:
            main()
        assert not stop.value.code
        return capsys.readouterr().out

    said = told()
    assert "BLiMP (% right)" in said and "BLiMP-like" in said and "islands" not in said
    assert "figures over parts of the questions" in said and "BLiMP, islands" in page.read_text("utf-8")
    (row,) = json.loads(told("--json"))["runs"]
    assert row["BLiMP, islands (% right)"] == 47.5
    drawn = compare([run], page)._repr_html_()
    assert "<td>58.25</td>" in drawn and "islands" not in drawn
    (run / "tasks/blimp.json").write_text(json.dumps({"measures": figures[:1]}))
    assert "parts" not in told()
