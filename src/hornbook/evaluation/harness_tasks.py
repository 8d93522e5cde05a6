"""The tasks of lm-evaluation-harness, asked of a model; the harness needn't be installed for anything else."""

import json
import re
from collections.abc import Sequence
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hornbook.corpora.hub import asking_once, out_of_reach
from hornbook.errors import HornbookError, nearest, one_line
from hornbook.evaluation.measure import Figure, figure
from hornbook.loading import LoadedModel

_DEVIATIONS = 1.959964


def find_harness_tasks(names: Sequence[str], known_here: Sequence[str]) -> Any:
    """Give the harness's task manager if it has all of these tasks.

    Raises HornbookError where the harness isn't installed, and for a name that neither it nor Hornbook knows.
    """
    if not find_spec("lm_eval"):
        raise HornbookError(
            f"there is no task {names[0]!r} here (those of lm-evaluation-harness need: pip install "
            f'"hornbook[eval]"){nearest(names[0], list(known_here))}'
        )
    try:
        from lm_eval.tasks import TaskManager
    except Exception as error:  # it imports much
        raise HornbookError(
            f'lm-evaluation-harness can\'t be used ({one_line(error)}): pip install "hornbook[eval]" again'
        ) from error
    manager = TaskManager()
    for name in names:
        if name not in manager.all_tasks:
            close = get_close_matches(name, [*known_here, *manager.all_tasks], n=3)
            said = (
                f"did you mean {' or '.join(close)}?"
                if close
                else "`lm_eval ls tasks` lists those that it has"
            )
            raise HornbookError(
                f"there is no task {name!r}, neither here nor in lm-evaluation-harness; {said}"
            )
    return manager


def check_it_can_answer(loaded: LoadedModel, name: str, manager: Any) -> None:
    """Raise HornbookError for a task that has a model write, and one that can't; before any rows are loaded."""
    path = manager.task_index[name].yaml_path
    if not loaded.serves(head="causal") and path and _asks_to_write(Path(path)):
        raise HornbookError(
            f"{name} has a model write its answer, and {loaded.name} is a {loaded.head} model: take a causal model, or "
            "tasks with answers to choose from, such as hellaswag"
        )


def _asks_to_write(path: Path) -> bool:
    """Read a task's file as text, and the file that it builds on: it may name functions, which no YAML has."""
    text = path.read_text("utf-8")
    if kind := re.search(r"^output_type:\s*[\"']?(\w+)", text, re.MULTILINE):
        return kind[1] == "generate_until"
    base = re.search(r"^include:\s*[\"']?([^\s\"'#]+)", text, re.MULTILINE)
    return bool(base) and _asks_to_write(path.parent / base[1])  # type: ignore[index]


def measure_harness_task(
    loaded: LoadedModel,
    name: str,
    manager: Any,
    data: Path | None = None,
    limit: int | None = None,
    dense: int | None = None,
) -> list[Figure]:
    """Ask one task of the harness, or all of one of its groups; a figure for each metric, the group's own first.

    `data` is a folder with the task's rows, `NAME/SPLIT.jsonl`, in the form of the hub's; without it the hub is asked.
    `dense` is how many dense tokens are read before each answer. Raises HornbookError where the rows can't be had or
    aren't the task's.
    """
    from lm_eval import simple_evaluate

    from hornbook.evaluation.harness import harness_model

    model = harness_model(loaded, dense=dense)
    try:
        with TemporaryDirectory() as folder, asking_once(data is None and out_of_reach()):
            asked = name if data is None else _from_files(name, manager, data, Path(folder))
            found = simple_evaluate(
                model=model,
                tasks=[asked],
                limit=limit,
                bootstrap_iters=100,
                task_manager=manager,
                log_samples=False,
            )
    except HornbookError:
        raise
    except Exception as error:  # the hub, datasets, templates: each has its own
        raise HornbookError(
            f"lm-evaluation-harness can't ask {name} ({one_line(error)}): connect to a network, or name a folder "
            f"that holds {name}/ with --data"
        ) from error
    told = {task: _figures(task, found, dense) for task in found["results"]}
    return [*told.pop(name, []), *(one for figures in told.values() for one in figures)]


def _from_files(name: str, manager: Any, data: Path, folder: Path) -> str:
    """Write the task anew with rows from files, in the harness's own form for that, and name the file."""
    files = {file.stem: str(file.resolve()) for file in sorted((data / name).glob("*.jsonl"))}
    if not files:
        raise HornbookError(
            f"{data / name}: there are no .jsonl files in it: put the task's rows there, a file for each split"
        )
    task = manager.task_index[name].yaml_path
    if task is None:
        raise HornbookError(
            f"{name} is several tasks, and --data has the rows of single ones: name one of them"
        )
    rows = {"dataset_path": "json", "dataset_name": None, "dataset_kwargs": {"data_files": files}}
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps({"include": str(task), "task": name, **rows}), "utf-8")  # JSON is YAML
    return str(path)


def _figures(name: str, found: Any, dense: int | None) -> list[Figure]:
    results, counts = found["results"][name], found.get("n-samples", {}).get(name, {})
    figures = []
    read = f" with {dense} dense tokens" if dense else ""
    for key, value in results.items():
        metric, _, form = key.partition(",")
        if not form or "_stderr" in metric or not isinstance(value, int | float):
            continue
        error = results.get(f"{metric}_stderr,{form}")
        spread = {}
        if isinstance(error, int | float):
            spread = {"low": value - _DEVIATIONS * error, "high": value + _DEVIATIONS * error}
        total = counts.get("effective")
        figures.append(
            figure(
                f"{name}, {metric}{read}",
                float(value),
                "share" if metric.startswith(("acc", "exact")) else metric,
                f"{total:,} questions" if total else "its questions",
                f"As lm-evaluation-harness computes it (version {found['versions'].get(name)} of the task)"
                + (f", {dense} dense tokens between a context and its answer." if dense else "."),
                "It compares with the harness's own figures of causal models; a masked or text-to-text model scores "
                "continuations by another rule, from both sides.",
            )
            | {**spread, "scope": f"{name}: {total} questions"}
        )
    return figures
