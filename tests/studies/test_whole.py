"""A study as people run it: a grid, measures by name, an arm that fails, tables, and the record that runs again."""

import csv
import json
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml

import hornbook as hb
from hornbook.errors import HornbookError
from hornbook.reporter import Reporter
from hornbook.studies import read_study
from hornbook.studies.conduct import _equal_tokens, conduct, train_silently

RECIPES = Path(__file__).parents[2] / "recipes"
TINY = {"hidden_size": 16, "num_layers": 1, "num_heads": 2, "attention_types": [[["global"], 1]]}
GRID = {"model.config.activation_function": ["gelu_new", "relu"]}


def write(folder: Path, text: Path, **changes: Any) -> Path:
    given = {
        "question": "Which activation?",
        "recipe": str(RECIPES / "manuals-gpt-neo.yaml"),
        "changes": {
            "cache": str(folder / "cache"),
            "corpus": {"path": str(text), "documents": "line", "heldout_fraction": 0.2},
            "tokenizer.vocab_size": 400,
            "model.length": 16,
            "model.config": TINY,
            "training.batch": 4,
            "training.trackers": [],
        },
        "seeds": 2,
        "tokens": 180,
        "grid": GRID,
        "measures": ["bits_per_byte", "tokens_per_second"],
    }
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(given | changes, sort_keys=False))
    return path


OWN = """
from torch import nn
class Tuple(nn.Module):
    hornbook = {"head": "causal", "gives": "logits", "style": "gpt"}
    def __init__(self, vocab_size):
        super().__init__()
        self.words = nn.Embedding(vocab_size, 8)
        self.out = nn.Linear(8, vocab_size)
    def forward(self, input_ids):
        return self.out(self.words(input_ids)), None
"""


def train_but_one(recipe: Any) -> None:
    if recipe.name == "relu-1":
        raise RuntimeError("out of\nmemory")
    train_silently(recipe)


@pytest.mark.long
def test_a_grid_with_a_failure_goes_on_and_its_record_runs_again(tmp_path: Path, story_file: Path) -> None:
    design, report = read_study(write(tmp_path, story_file)), Reporter(silent=True)
    found = conduct(design, tmp_path / "out", 1, report, train_but_one)
    assert list(found["arms"]) == ["gelu_new", "relu"] and found["answers"] == []
    assert {one["steps"] for one in found["arms"].values()} == {3}  # of 64 tokens: the first that reach 180
    assert found["remarks"] == [
        "relu, seed 1 failed, and the same command tries it again: relu-1: RuntimeError: out of memory"
    ]
    assert "relu, seed 1 failed" in (tmp_path / "out" / "page.html").read_text("utf-8")

    trained = []
    found = conduct(
        design, tmp_path / "out", 1, report, lambda one: [trained.append(one.name), train_silently(one)]
    )
    assert trained == ["relu-1"] and found["remarks"] == []
    bits, speed = ("bits per byte", "tokens per second")
    assert list(found["figures"]) == ["held-out loss", bits, speed]
    assert found["figures"][bits]["lower"] and not found["figures"][speed]["lower"]
    lines = list(csv.DictReader((tmp_path / "out" / "runs.csv").read_text("utf-8").splitlines()))
    assert len(lines) == 2 * 2 * 3 and all(float(line["value"]) > 0 for line in lines)

    answered = hb.study(tmp_path / "study.yaml", out=tmp_path / "out", processes=1)  # all runs are there
    assert {tuple(row) for row in answered.figures.itertuples(index=False)} == {
        (line["arm"], int(line["seed"]), line["figure"], float(line["value"])) for line in lines
    }
    drawn = answered._repr_html_()
    assert all(text in drawn for text in ("Which activation?", "gelu_new", "relu", str(answered.page)))

    again = read_study(tmp_path / "out" / "answer.json")
    assert (again.study, again.base, again.arms) == (design.study, design.base, design.arms)
    repeated = conduct(again, tmp_path / "again", 1, report)
    assert [one["values"][bits] for one in repeated["arms"].values()] == [
        one["values"][bits] for one in found["arms"].values()
    ]
    assert json.loads((tmp_path / "again" / "answer.json").read_text("utf-8"))["study"] == found["study"]


def test_a_grid_multiplies_arms_and_named_levels(tmp_path: Path, story_file: Path) -> None:
    size = {"small": {}, "large": {"model.config.hidden_size": 32, "training.batch": 8}}
    arms = {"plain": {}, "dense": {"training.steps": 5}}
    design = read_study(write(tmp_path, story_file, arms=arms, grid={"size": size} | GRID))
    assert list(design.arms)[:3] == ["plain, small, gelu_new", "plain, small, relu", "plain, large, gelu_new"]
    assert design.arms["dense, large, relu"] == {
        "training.steps": 5,
        "model.config.hidden_size": 32,
        "training.batch": 8,
        "model.config.activation_function": "relu",
    }
    assert design.recipe("dense, large, relu", 0, tmp_path).model.config["hidden_size"] == 32


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"grid": {"seed": [1, 1]}}, "names of their own"),
        ({"grid": {"seed": []}}, "grid: seed has no values"),
        ({"seconds": 5}, "seconds and tokens both"),
        ({"measures": ["bits_per_bite"]}, "did you mean 'bits_per_byte'?"),
        ({"measures": ["blimp", "blimp"]}, "blimp is there twice"),
        ({"measures": [{"name": "bits_per_byte", "limit": 3}]}, "bits_per_byte has no limit"),
        (
            {"measures": [{"name": "cola", "rule": "x"}]},
            "cola has no rule: leave that out; it takes data, epochs, learning_rate, limit, seeds",
        ),
        (
            {"measures": [{"name": "glue", "tasks": ["coal"]}]},
            "glue has no task 'coal'; did you mean 'cola'?",
        ),
        ({"measures": [{"name": "blimp", "tasks": ["cola"]}]}, "blimp has no tasks"),
        ({"against": {"rely": "relu"}}, "against: there is no arm 'rely'; did you mean 'relu'?"),
        ({"against": {"relu": "relu"}}, "relu is compared with itself"),
        ({"cluster": {"partitoin": "gpu"}}, "cluster.partitoin"),
    ],
)
def test_mistakes_are_told(changes: dict[str, Any], said: str, tmp_path: Path, story_file: Path) -> None:
    with pytest.raises(HornbookError) as error:
        read_study(write(tmp_path, story_file, **changes))
    assert said in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("measure", "said"),
    [
        ("pseudo_likelihood", "pseudo_likelihood says nothing true of a model that learns causal"),
        ({"name": "cola", "data": "nowhere"}, "nowhere"),
        ({"name": "blimp", "data": "nowhere"}, "nowhere"),
    ],
)
def test_measures_that_cannot_be_had_are_told_before_training(
    measure: Any, said: str, tmp_path: Path, story_file: Path
) -> None:
    design = read_study(write(tmp_path, story_file, measures=[measure]))
    with pytest.raises(HornbookError, match=said):
        conduct(design, tmp_path / "out", 1, Reporter(silent=True), pytest.fail)


def test_the_study_in_the_documentation_can_be_read(tmp_path: Path) -> None:
    page = (RECIPES.parent / "docs" / "questions.md").read_text("utf-8").split("## A study of your own")[1]
    (tmp_path / "study.yaml").write_text(dedent(page.split("\n- An **arm**")[0]))
    design = read_study(tmp_path / "study.yaml")
    assert list(design.arms) == ["GPT-Neo, 16", "GPT-Neo, 32", "mine, 16", "mine, 32"]
    recipes = [design.recipe(arm, 0, tmp_path) for arm in design.arms]
    assert [recipe.model.code for recipe in recipes] == [None, None, "my_gpt.py:MyGPT", "my_gpt.py:MyGPT"]
    assert [one.name for one in design.study.measures][1:3] == ["blimp", "glue"]
    assert {_equal_tokens(one, 2_000_000) * one.training.batch for one in recipes} <= {15_632, 15_648}


BOTH = {
    "causal": {},
    "masked": {"objective": "masked", "model.preset": "roberta-base", "model.config": {
        "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}},
    "masked again": {"objective": "masked", "model.preset": "roberta-base", "model.config": {
        "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}},
}  # fmt: skip


@pytest.mark.slow
def test_arms_of_two_families(tmp_path: Path, story_file: Path) -> None:
    """A measure that says nothing true of an arm leaves its cell empty; arms are compared as `against` says."""
    against = {"masked": None, "masked again": "masked"}
    path = write(tmp_path, story_file, arms=BOTH, grid={}, measures=["bits_per_byte"], against=against)
    design = read_study(path)
    found = conduct(design, tmp_path / "out", 1, Reporter(silent=True))
    assert found["arms"]["masked"]["values"]["bits per byte"] == [None, None]
    assert all(found["arms"]["causal"]["values"]["bits per byte"])
    assert found["answers"] == [] and "2 %" in found["remarks"][0]  # the sizes differ, and this is told
    assert design.study.compared() == {"masked again": "masked"}


@pytest.mark.slow
def test_arms_of_other_tokenizers_and_texts(tmp_path: Path, story_file: Path) -> None:
    """Their losses don't compare, and aren't compared; bits per byte do, on one held-out text, as the advice says."""
    lines = story_file.read_text("utf-8").splitlines()
    heldout, other = tmp_path / "heldout.txt", tmp_path / "other.txt"
    heldout.write_text("\n".join(lines[:20]), "utf-8")
    other.write_text("\n".join(lines[20:120]), "utf-8")
    arms = {"plain": {}, "small": {"tokenizer.vocab_size": 300}, "other": {"corpus.path": str(other)}}
    design = read_study(write(tmp_path, story_file, arms=arms, grid={}))
    found = conduct(design, tmp_path / "out", 1, Reporter(silent=True))
    assert list(found["figures"]) == ["bits per byte", "tokens per second"]
    assert any("held-out texts differ (plain" in one for one in found["remarks"])
    sizes = {run["tokenizer"]["vocab_size"] for run in map(facts_of, found["arms"].values())}
    assert sizes == {400, 300} and all(all(one["values"]["bits per byte"]) for one in found["arms"].values())

    given = yaml.safe_load((tmp_path / "study.yaml").read_text())
    given["changes"]["corpus"] = {"path": str(story_file), "documents": "line", "heldout": str(heldout)}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(given, sort_keys=False))
    again = conduct(read_study(tmp_path / "study.yaml"), tmp_path / "again", 1, Reporter(silent=True))
    assert not any("corpus.heldout" in one for one in again["remarks"])
    heard = {facts_of(one)["corpus"]["heldout"]["bytes"] for one in again["arms"].values()}
    assert heard == {sum(len(line.encode()) for line in lines[:20])}


def facts_of(arm: dict[str, Any]) -> dict[str, Any]:
    return json.loads(Path(arm["runs"][0], "run.json").read_text("utf-8"))


def test_a_studys_folder_of_files_is_each_measures_own(tmp_path: Path, story_file: Path) -> None:
    measures = ["bits_per_byte", "blimp", {"name": "cola", "data": "there"}]
    path = write(tmp_path, story_file, measures=measures)
    design = read_study(path, data=Path("here"))
    assert [one.data for one in design.study.asked()] == [None, Path("here"), Path("there")]
    assert design.study.measures[1].data is None  # so that its record can be asked of another folder


@pytest.mark.long
def test_a_class_that_gives_a_tuple(tmp_path: Path, story_file: Path) -> None:
    """An arm whose class has an error is told, and the others finish."""
    (tmp_path / "own.py").write_text(OWN)
    arms = {
        "right": {},
        "wrong": {"model.code": f"{tmp_path}/own.py:Tuple", "model.preset": "", "model.config": {}},
    }
    design = read_study(write(tmp_path, story_file, arms=arms, grid={}))
    found = conduct(design, tmp_path / "out", 1, Reporter(silent=True))
    assert len(found["remarks"]) >= 2 and "gives a tuple" in found["remarks"][0]
    assert found["arms"]["wrong"]["failed"].keys() == {"0", "1"} and not found["arms"]["right"]["failed"]


def test_all_runs_failed(tmp_path: Path, story_file: Path) -> None:
    def fail(recipe: Any) -> None:
        raise HornbookError(f"{recipe.name}: the loss is nan")

    with pytest.raises(HornbookError, match="all 4 runs failed, the first with: gelu_new-0: the loss is nan"):
        conduct(read_study(write(tmp_path, story_file)), tmp_path / "out", 1, Reporter(silent=True), fail)
