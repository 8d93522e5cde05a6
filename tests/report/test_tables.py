"""A study's table as people paste it into papers."""

import csv
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hornbook.report.tables import escape_latex, latex, markdown, runs_csv, write_tables

NASTY = '50 % of_{x} & #1 \\ $a^b$ ~<|>"'


@pytest.fixture
def nasty(found: dict[str, Any]) -> dict[str, Any]:
    """A study with an arm that LaTeX and Markdown would misread."""
    found["arms"] = {NASTY if arm == "new" else arm: one for arm, one in found["arms"].items()}
    return found


def without_escapes(text: str) -> str:
    """Undo the escapes, independently of how they were made."""
    text = re.sub(r"\\text(\w+)\{\}", lambda found: "<" + found[1] + ">", text)
    return re.sub(r"\\([#$%&_{}])", r"<\1>", text)


def test_latex_is_well_formed(nasty: dict[str, Any]) -> None:
    """Groups and environments are closed, each row has as many cells, and nothing special is left bare."""
    table = "\n".join(line for line in latex(nasty).splitlines() if not line.startswith("% "))
    opened: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", table):
        opened.append(name) if kind == "begin" else opened.remove(opened[-1] if opened[-1] == name else "")
    assert not opened
    bare = without_escapes(table.replace("{!}{%", "{!}{"))
    bare = re.sub(r"<[^ ]{1,30}?>", "", bare)
    assert bare.count("{") == bare.count("}") and bare.count("$") % 2 == 0
    assert not set("#%~^_") & set(bare)
    body = bare.split(r"\toprule")[1].split(r"\bottomrule")[0]
    rows = [row for row in body.replace(r"\midrule", "").split(r"\\") if row.strip()]
    [columns] = re.findall(r"\\begin\{tabular\}\{(\w+)\}", table)
    assert len(rows) == 4 and {row.count("&") + 1 for row in rows} == {len(columns)}
    assert latex(nasty).isascii() and "% held-out loss: masked" in latex(nasty)


def test_latex_says_the_figures(found: dict[str, Any]) -> None:
    table = latex(found)
    assert r"plain \textless{}b\textgreater{} & 1,478,528 & 4.100 $\pm$ 0.100 \\" in table
    assert r"new & 1,478,528 & \textbf{3.103} $\pm$ 0.100\rlap{$\dagger$} \\" in table


def test_escapes_are_those_of_latex() -> None:
    assert escape_latex(r"a\b{c}") == r"a\textbackslash{}b\{c\}"


@pytest.mark.skipif(
    not (shutil.which("pdflatex") or shutil.which("tectonic")), reason="no LaTeX is installed"
)
def test_latex_compiles(nasty: dict[str, Any], tmp_path: Path) -> None:
    write_tables(nasty, tmp_path)
    command = ["pdflatex", "-halt-on-error"] if shutil.which("pdflatex") else ["tectonic"]
    subprocess.run([*command, "paper.tex"], cwd=tmp_path, check=True)
    assert (tmp_path / "paper.pdf").stat().st_size > 1000


def test_markdown(nasty: dict[str, Any]) -> None:
    told = markdown(nasty)
    rows = [line for line in told.splitlines() if line.startswith("|")]
    assert len(rows) == 4 and {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {4}
    assert "4.100 ± 0.100" in told and "**3.103** ± 0.100 |" in told and "- held-out loss: masked" in told
    assert nasty["answers"][0]["sentence"].split("(")[0] in told


def test_csv_has_each_run_unrounded(found: dict[str, Any]) -> None:
    found["arms"]["new"]["values"]["held-out loss"][1] = None
    lines = list(csv.DictReader(runs_csv(found).splitlines()))
    assert [line["value"] for line in lines] == ["4.0", "4.1", "4.2", "3.0", "", "3.2"]
    assert lines[3]["arm"] == "new" and lines[3]["seed"] == "0" and lines[3]["unit"] == "nats/label"
    assert "**3.100** ± 0.141 (2 of 3 runs)" in markdown(found)


def test_equal_bests_are_both_bold_and_a_lone_figure_is_not(found: dict[str, Any]) -> None:
    plain, new = found["arms"].values()
    plain["values"]["held-out loss"] = [3.1, 3.1, 3.1]
    new["values"]["held-out loss"] = [3.1004, 3.1, 3.1]
    assert latex(found).count(r"\textbf{3.100}") == 2
    new["values"]["held-out loss"] = [None, None, None]
    assert r"\textbf" not in latex(found) and "new & 1,478,528 & --" in latex(found)


def test_each_arm_is_named_with_the_one_that_it_is_compared_with(found: dict[str, Any]) -> None:
    assert "what differs from plain" in latex(found)
    found["answers"].append(found["answers"][0] | {"arm": "third", "base": "new"})
    assert "another arm (new from plain" in latex(found) and "; third from new)" in latex(found)


def test_two_rules_stand_below_the_table_and_nothing_is_bold_across_them(found: dict[str, Any]) -> None:
    figure = found["figures"]["held-out loss"]
    assert r"\textbf" in latex(found) and "is bold. A dagger" in latex(found)
    rule = {"over": "9 pairs, a sample (limit: 3)", "baseline": 5.25}
    figure["rules"] = [
        rule | {"arms": ["plain <b>"], "text": "Each half is read alone."},
        rule | {"arms": ["new"], "text": "Each word is hidden."},
    ]
    table = latex(found)
    printed = "".join(line for line in table.splitlines() if not line.startswith("%"))
    for arm, words in (
        (r"plain \textless{}b\textgreater{}", "Each half is read alone."),
        ("new", "Each word is"),
    ):
        said = (
            f"held-out loss ({arm}): over 9 pairs, a sample (limit: 3); word frequencies get 5.250. {words}"
        )
        assert said in printed
    assert r"\textbf" not in table and "**" not in markdown(found)
    assert "bold if one rule gave all of it" in table
    assert "- held-out loss (new): Each word is hidden. Over 9 pairs, a sample" in markdown(found)


def test_one_rule_leaves_sample_and_baseline_below_the_table(found: dict[str, Any]) -> None:
    found["figures"]["held-out loss"] |= {"unit": "%"}
    found["figures"]["held-out loss"]["rules"][0] |= {"over": "408 texts", "baseline": 68.4}
    assert "held-out loss: over 408 texts; the most frequent label gets 68.4." in latex(found)
