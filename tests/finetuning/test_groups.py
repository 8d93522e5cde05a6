"""Groups of tasks by one name, and their published means."""

import json
from math import sqrt

import pytest

from hornbook.errors import HornbookError
from hornbook.finetuning.groups import GROUPS, expand, means
from hornbook.finetuning.reading import read_task
from hornbook.finetuning.tasks import TASKS, find_task


def told(measure: str, value: float, half: float = 1.0) -> dict[str, object]:
    ends = {"low": value - half, "high": value + half, "baseline": 50.0, "scope": measure}
    return {"measure": measure, "value": value, **ends}


def test_a_group_is_its_tasks_each_once():
    assert expand(["rte", "babylm", "cola"]) == [
        *["rte", "boolq", "multirc", "wsc", "mrpc", "qqp", "mnli", "cola"],
    ]
    assert set(expand(["glue", "superglue"])) == set(TASKS)


def test_babylms_mean_takes_f1_of_two_tasks_and_accuracy_of_the_others():
    values = {"BoolQ": 60.0, "MultiRC": 50.0, "RTE": 55.0, "WSC": 61.0}
    figures = [told(f"{title}, accuracy", value, 2.0) for title, value in values.items()]
    figures += [
        told("MRPC, F1", 80.0),
        told("MRPC, accuracy", 1.0),
        told("QQP, F1", 70.0),
        told("QQP, accuracy", 1.0),
    ]
    assert means(figures) == []  # MNLI isn't there
    (found,) = means([*figures, told("MNLI-m, accuracy", 40.0), told("MNLI-mm, accuracy", 1.0)])
    assert found["measure"] == "GLUE as BabyLM has it, mean"
    assert found["value"] == pytest.approx((60 + 50 + 55 + 61 + 80 + 70 + 40) / 7)
    assert found["high"] - found["value"] == pytest.approx(sqrt(4 * 4 + 3) / 7) and found["baseline"] == 50


def test_glues_mean_averages_metrics_and_parts_first():
    figures = [
        told(f"{TASKS[name].title}{ending}", 100.0 if "mm" in ending or ending == ", F1" else 0.0)
        for name, endings in GROUPS["glue"].counted.items()
        for ending in endings
    ]
    (found,) = means(figures)
    assert found["value"] == pytest.approx(100 * (0.5 + 0.5 + 0.5) / 9)  # half of MRPC, of QQP and of MNLI


def test_each_counted_figure_is_one_that_its_task_has():
    for group in GROUPS.values():
        for name, endings in group.counted.items():
            known = {f"{part}, {metric}" for part in TASKS[name].tests for metric in TASKS[name].metrics}
            assert set(endings) <= known


def test_names_that_are_nearly_right():
    for name, near in (("gleu", "glue"), ("super_glue", "superglue"), ("sst-2", "sst2")):
        with pytest.raises(HornbookError, match=rf"no task '{name}' to fine-tune on; did you mean '{near}'"):
            find_task(name)
    with pytest.raises(HornbookError, match="use `hornbook evaluate RUN --task blimp`"):
        find_task("blimp")


def test_babylms_mnli_has_one_part(tmp_path):
    row = json.dumps({"premise": "a", "hypothesis": "b", "label": 0})
    for name in ("mnli.train", "mnli.valid"):
        (tmp_path / f"{name}.jsonl").write_text(row, "utf-8")
    assert list(read_task(TASKS["mnli"], tmp_path).tests) == ["-m"]
    (tmp_path / "mnli.valid.jsonl").rename(tmp_path / "mnli.validation_matched.jsonl")
    with pytest.raises(HornbookError, match="no validation_mismatched part of MNLI"):
        read_task(TASKS["mnli"], tmp_path)
