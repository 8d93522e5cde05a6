import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hornbook.errors import HornbookError
from hornbook.report import read_run

Make = Callable[..., Path]


def test_a_whole_run_is_read(make_run: Make) -> None:
    run = read_run(make_run("neo", parameters=123))
    assert (run.name, run.parameters, run.tokenizer.kind, run.corpus.heldout.documents) == (
        "neo",
        123,
        "bpe",
        682,
    )
    assert [point.step for point in run.evaluate] == list(range(0, 601, 50))
    assert [point.step for point in run.train] == list(range(5, 601, 5))
    assert run.last is not None and run.last.tokens == 600 * 4096
    assert run.tokens_per_second == pytest.approx(21_000, rel=1e-4)
    assert [measure.measure for measure in run.measures] == ["bits per byte"]
    assert run.unread == 0 and "objective: causal" in run.recipe


def test_a_torn_last_line_is_left_out_and_counted(make_run: Make) -> None:
    folder = make_run("torn", done=300)
    log = folder / "log.jsonl"
    whole = log.read_bytes()
    # 2 bytes of a 3-byte character: what a kill in the middle of a write may leave.
    log.write_bytes(whole + b'{"kind": "train", "step": 305, "note": "\xe2\x9f')
    run = read_run(folder)
    assert run.last is not None and run.last.step == 300
    assert run.unread == 1 and run.measures == () and run.samples == ()


@pytest.mark.parametrize(
    "line", ["[1, 2]", '{"kind": "train", "step": 9}', "NaN", '{"kind": "evaluate", "step": "x"}']
)
def test_a_line_that_is_no_record_is_counted(make_run: Make, line: str) -> None:
    folder = make_run("odd", done=100)
    log = folder / "log.jsonl"
    log.write_text(line + "\n" + log.read_text())
    assert read_run(folder).unread == 1


def test_steps_taken_again_replace_those_of_the_killed_process(make_run: Make) -> None:
    folder = make_run("again", done=0)

    def line(step: int, loss: float) -> str:
        return (
            json.dumps({"kind": "train", "step": step, "loss": loss, "tokens": step, "seconds": step}) + "\n"
        )

    first, second = [(1, 9.0), (2, 8.0), (3, 7.0), (4, 6.0)], [(3, 7.5), (4, 6.5), (5, 5.5)]
    (folder / "log.jsonl").write_text("".join(line(*point) for point in first + second))
    assert [(p.step, p.loss) for p in read_run(folder).train] == [
        (1, 9.0),
        (2, 8.0),
        (3, 7.5),
        (4, 6.5),
        (5, 5.5),
    ]


def test_only_run_json_is_needed(make_run: Make) -> None:
    folder = make_run("bare")
    for name in ("log.jsonl", "evaluation.json", "recipe.yaml"):
        (folder / name).unlink()
    run = read_run(folder)
    assert run.last is None and run.tokens_per_second is None and run.recipe == ""


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (lambda folder: (folder / "run.json").unlink(), "no run.json"),
        (lambda folder: (folder / "run.json").write_text("{"), "run.json"),
        (lambda folder: (folder / "run.json").write_text('{"name": "x"}'), "family"),
        (lambda folder: (folder / "evaluation.json").write_text('{"measures": [{}]}'), "measures.0.measure"),
    ],
)
def test_a_folder_that_is_no_run_is_refused_in_one_line(
    make_run: Make, damage: Callable[[Path], object], named: str
) -> None:
    folder = make_run("bad")
    damage(folder)
    with pytest.raises(HornbookError) as refusal:
        read_run(folder)
    assert (
        named in str(refusal.value) and str(folder) in str(refusal.value) and "\n" not in str(refusal.value)
    )
