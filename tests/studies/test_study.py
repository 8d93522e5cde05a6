"""Studies, shrunk: read, conducted, gone on with, judged; and every one that is shipped fits together."""

import json
import os
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import pytest
import yaml

from hornbook.errors import HornbookError, Interrupted
from hornbook.evaluation.heldout_loss import heldout_loss
from hornbook.loading import load_model
from hornbook.objectives.span_corruption import SpanCorruption
from hornbook.report.study import write_study
from hornbook.reporter import Reporter
from hornbook.studies import read_study
from hornbook.studies.conduct import _costs, _equal_time, conduct, train_silently
from hornbook.studies.measure import prepare_figure
from hornbook.studies.study import Design

SHIPPED = sorted((Path(__file__).parents[2] / "recipes" / "studies").glob("*.yaml"))
BERT = {"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 48}
T5 = {"d_model": 32, "d_kv": 16, "d_ff": 48, "num_layers": 1, "num_decoder_layers": 1}


def shrink(folder: Path, text: Path, model: dict[str, int], steps: int = 6) -> list[str]:
    values = {
        "cache": folder / "cache",
        "corpus": {"path": str(text), "documents": "line", "heldout_fraction": 0.2},
        "tokenizer.vocab_size": 500,
        "model.length": 32,
        "model.config": model,
        "training.steps": steps,
        "training.batch": 8,
        "training.evaluate_windows": 8,
        "training.trackers": [],
    }
    return [f"{place}={json.dumps(value, default=str)}" for place, value in values.items()]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_studies_fit_together(path: Path, tmp_path: Path) -> None:
    design = read_study(path)
    assert design.study.question.endswith("?") and design.study.seeds >= 3
    recipes = [design.recipe(arm, seed, tmp_path) for arm in design.arms for seed in (0, 1)]
    assert len({recipe.out for recipe in recipes}) == len(recipes)
    for recipe in recipes:
        given = recipe.model_dump(mode="json", exclude_none=True)
        for place, value in design.study.changes.items():
            assert reduce(getitem, place.split("."), given) == value


def test_an_arm_that_forgets_values_is_told(tmp_path: Path) -> None:
    """One that was to differ in its norm alone would have four times the heads, and its figures be of both."""
    path = tmp_path / "study.yaml"
    arms = {
        "as it is": {},
        "norm": {"model.config": {"layer_norm_eps": 0.1}},
        "better": {"model.config.layer_norm_eps": 0.1},
        "all": {"model.config": {"num_attention_heads": 8, "hidden_size": 64}},
    }
    base = {"recipe": "manuals-bert", "question": "Which?", "arms": arms}
    changes = {"model.config": {"num_attention_heads": 4, "hidden_size": 32}}
    path.write_text(json.dumps(base | {"changes": changes}))
    (told,) = read_study(path).replaced()
    assert told == (
        "norm: its model.config has no hidden_size, num_attention_heads, which the recipe's has; to change one value "
        "and keep the others, write model.config.layer_norm_eps: ..."
    )


def study(name: str, folder: Path, text: Path, *settings: str, seeds: int = 2, model: Any = BERT) -> Any:
    path = next(path for path in SHIPPED if path.stem == name)
    design = read_study(path, [*shrink(folder, text, model), *settings], seeds)
    # Tasks to fine-tune on need files from elsewhere; test_activations.py has a study with them.
    design.study = design.study.model_copy(update={"measures": []})
    return design


@pytest.mark.long
def test_a_study_of_pairs(tmp_path: Path, story_file: Path) -> None:
    """From runs to page: each arm is asked the same, with the probes; and the second time nothing is done again."""
    design, report = study("pairs", tmp_path, story_file, "training.phases=[]"), Reporter(silent=True)
    found = json.loads(json.dumps(conduct(design, tmp_path / "out", 1, report)))
    assert {arm: one["steps"] for arm, one in found["arms"].items()} == dict.fromkeys(design.arms, 6)
    for arm in found["arms"].values():
        assert all(len(values) == 2 for values in arm["values"].values())
        assert all(0 <= share <= 1 for share in arm["values"]["next sentence, probed"])
        assert [point["step"] for point in arm["curves"][0]] == [1, 2, 3, 4, 5, 6]
        assert len(list(Path(arm["runs"][0], "checkpoints").iterdir())) == 1
    told = [(one["figure"], one["arm"]) for one in found["answers"]]
    assert told == [(figure, arm) for figure in design.study.figures for arm in list(design.arms)[1:]]
    assert json.loads(json.dumps(conduct(design, tmp_path / "out", 1, report, pytest.fail))) == found
    page = write_study(found, tmp_path / "page.html").read_text("utf-8")
    for one in found["answers"]:
        assert one["sentence"] in page
    for arm in found["arms"].values():
        assert all(f"{value:.3f}" in page for value in arm["values"]["masked-token loss"])
    assert "https://" not in page.split('id="plotly"')[0]


@pytest.mark.long
def test_arms_are_judged_alike(tmp_path: Path, story_file: Path) -> None:
    """By the study's own figures, which are held-out losses as `heldout_loss` gives them, whatever the arm learned."""
    design = study("spans", tmp_path, story_file, model=T5)
    found = conduct(design, tmp_path / "out", 1, Reporter(silent=True))
    recipe = design.recipe("spans of 10", 1, tmp_path / "out")
    loaded, objective = load_model(recipe.folder), SpanCorruption(mean_span=1)
    figure = design.study.figures["whole loss on spans of 1"]
    expected = heldout_loss(loaded, objective, prepare_figure(recipe, figure).heldout).nats
    assert found["arms"]["spans of 10"]["values"]["whole loss on spans of 1"][1] == pytest.approx(expected)


def test_equal_time_counts_each_phase(tmp_path: Path) -> None:
    """The pilot's cost is that of its median steps, by phase: here nine of 1 s and one of 3, after a slow start."""
    phases = "training.phases=[{length: 128, share: 0.9}, {length: 512, share: 0.1}]"
    path = next(path for path in SHIPPED if path.stem == "growing")
    design = read_study(path, [f"cache={tmp_path / 'cache'}", phases])
    pilot = design.recipe("512 from the start", 0, tmp_path, steps=30)

    def train(recipe: Any) -> None:
        recipe.folder.mkdir()
        ends = [100.0 + step for step in range(27)] + [126.0 + 3 * step for step in range(1, 4)]
        lines = [json.dumps({"kind": "train", "seconds": end}) for end in ends]
        (recipe.folder / "log.jsonl").write_text("\n".join(lines))

    assert _costs(train, pilot) == pytest.approx([0.9 * 1, 0.1 * 3])


def test_an_interrupted_study_says_so(tmp_path: Path, story_file: Path) -> None:
    def stop(recipe: Any) -> None:
        raise Interrupted("stopped", 15)

    with pytest.raises(Interrupted):
        conduct(study("positions", tmp_path, story_file), tmp_path / "out", 1, Reporter(silent=True), stop)


def test_equal_time_gives_a_dearer_arm_fewer_steps(tmp_path: Path, story_file: Path) -> None:
    """By the quickest of the rounds: another program's work makes a round slower, never quicker."""
    design = study("growing", tmp_path, story_file, "training.phases=[]")
    step = {"512-from-the-start": 0.4, "growing-from-128": 0.2}

    def train(recipe: Any) -> None:
        recipe.folder.mkdir(parents=True)
        slow = 3 if recipe.folder.parent.name == "pilots-1" else 1
        cost = slow * next(cost for arm, cost in step.items() if recipe.name.startswith(arm))
        ends = [cost * number for number in range(1, 31)]
        lines = [json.dumps({"kind": "train", "seconds": end}) for end in ends]
        (recipe.folder / "log.jsonl").write_text("\n".join(lines))

    given = design.study.model_copy(update={"seconds": 60.0, "arms": {arm: {} for arm in design.arms}})
    steps = _equal_time(Design("x", given, design.base, ()), tmp_path, train, Reporter(silent=True))
    assert list(steps.values()) == [150, 300]


def train_and_sign(recipe: Any) -> None:
    """Leave the number of the process that trained the run."""
    train_silently(recipe)
    (recipe.folder / "signed").write_text(str(os.getpid()))


@pytest.mark.slow
def test_processes_change_nothing(tmp_path: Path, story_file: Path) -> None:
    design = study("positions", tmp_path, story_file)
    one, two = (conduct(design, tmp_path / str(n), n, Reporter(silent=True), train_and_sign) for n in (1, 2))
    signed = [{path.read_text() for path in (tmp_path / str(n)).rglob("signed")} for n in (1, 2)]
    assert signed[0] == {str(os.getpid())} and not signed[0] & signed[1]
    assert len(signed[1]) == len([run for arm in two["arms"].values() for run in arm["runs"]])
    assert [arm["values"] for arm in one["arms"].values()] == [arm["values"] for arm in two["arms"].values()]


@pytest.mark.slow
def test_processes_make_each_arms_own_class(tmp_path: Path, story_file: Path) -> None:
    """Arms that differ by code, in processes of their own: each makes its class anew from the file."""
    code = Path(__file__).parents[2] / "examples" / "architectures" / "learnable_activation.py"
    config = {"hidden_size": 16, "num_layers": 1, "num_heads": 2, "attention_types": [[["global"], 1]]}
    small = shrink(tmp_path, story_file, config, steps=2)
    given = {
        "question": "Which?",
        "recipe": "manuals-gpt-neo",
        "arms": {"parent": {}, "swish": {"model.code": f"{code}:SwishGPTNeoForCausalLM"}},
        "measures": ["bits_per_byte", "peak_memory"],
    }
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(given))
    design = read_study(tmp_path / "study.yaml", small, 2)
    here, beside, sent = (
        conduct(design, tmp_path / name, number, Reporter(silent=True), on=on)
        for name, number, on in (("here", 1, None), ("beside", 2, None), ("sent", 1, "local"))
    )
    bits = [
        [one["values"]["bits per byte"] for one in found["arms"].values()] for found in (here, beside, sent)
    ]
    assert bits[0] == bits[1] == bits[2] and bits[0][0] != bits[0][1]
    for found in (here, beside):  # the first run of all has nothing before it
        peaks = [peak for one in found["arms"].values() for peak in one["values"]["peak memory"]]
        assert peaks == pytest.approx([peaks[0]] * 4, rel=0.05)
    assert not beside["remarks"] and beside["code"].keys() == {"swish-0", "swish-1"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"arms": {"one": {}}}, "two or more arms"),
        ({"arms": {"a b": {}, "a-b": {}}}, "names of their own"),
        ({"seeds": 1}, "seeds: Input should be greater"),
        ({"question": None}, "question"),
        (
            {"measures": ["bits_per_byte", {"name": "peak_memory"}, {"name": "blimp", "limit": 0}]},
            "measures, entry 3 (blimp), limit: Input should be greater",
        ),
        ({"measures": ["bits_per_byte", "blmip"]}, "measures, entry 2 (blmip), name"),
        ({"recipe": "nowhere.yaml"}, "there is no such recipe"),
        (
            {"figures": {"x": {"loss": "masked", "probe": "masked_next_sentence"}}},
            "one of loss, words and probe",
        ),
        ({"figures": {"x": {"probe": "masked"}}}, "no pairs to probe"),
        ({"arms": {"a": {}, "b": {"model.position": False}}}, "arm 'b': model.position: unknown key"),
    ],
)
def test_mistakes_are_told(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    [shipped] = [path for path in SHIPPED if path.stem == "positions"]
    given = yaml.safe_load(shipped.read_text()) | {"recipe": str(shipped.parent / "../manuals-bert.yaml")}
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(given | changes))

    def read() -> None:
        design = read_study(path)
        for arm in design.arms:
            design.recipe(arm, 0, tmp_path)

    with pytest.raises(HornbookError) as error:
        read()
    assert said in str(error.value) and "\n" not in str(error.value)
