import json
from collections.abc import Callable
from pathlib import Path

from hornbook.report import read_run
from hornbook.report.curves import charts, thin
from hornbook.report.runs import TrainPoint

Make = Callable[..., Path]


def test_each_objective_has_its_own_chart_and_only_causal_has_bits(three: list[Path]) -> None:
    drawn = charts([read_run(folder) for folder in three])
    assert [(chart["title"], [curve["run"] for curve in chart["curves"]]) for chart in drawn] == [
        ("bits per byte", [1]),
        ("masked loss", [0]),
        ("causal loss", [1]),
        ("span corruption loss", [2]),
    ]


def test_one_objective_shares_a_chart_within_a_tokenizer(make_run: Make) -> None:
    folders = [make_run("a"), make_run("b"), make_run("c", tokenizer=("unigram", 4096, "00ff"))]
    drawn = charts([read_run(folder) for folder in folders])
    assert [(c["title"], c["within"], [curve["run"] for curve in c["curves"]]) for c in drawn] == [
        ("bits per byte", "", [0, 1, 2]),
        ("causal loss", "bpe 8192 (ab12cd34)", [0, 1]),
        ("causal loss", "unigram 4096 (00ff)", [2]),
    ]


def test_thinning_keeps_spikes_and_order() -> None:
    points = [TrainPoint(step, 3.0 + (step % 7) / 100, step, step) for step in range(1, 50_001)]
    points[31_415] = TrainPoint(31_416, 99.0, 31_416, 31_416)
    kept = thin(points, 2000)
    assert 1000 < len(kept) <= 2000
    assert max(point.loss for point in kept) == 99.0
    steps = [point.step for point in kept]
    assert steps == sorted(set(steps))
    assert thin(points[:10], 10) == points[:10]


def test_a_loss_that_is_no_number_becomes_null(make_run: Make) -> None:
    folder = make_run("nan", done=0)
    line = '{"kind": "train", "step": 1, "loss": NaN, "tokens": 1, "seconds": 1}\n'
    (folder / "log.jsonl").write_text(line)
    drawn = charts([read_run(folder)])
    assert drawn[0]["curves"][0]["train"]["value"] == [None]
    json.dumps(drawn, allow_nan=False)
