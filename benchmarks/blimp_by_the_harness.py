"""BLiMP by Hornbook and by `lm_eval --model hf`, paradigm by paradigm: the same pairs right, ties apart.

    python -m benchmarks.blimp_by_the_harness FOLDER --data TASKS --limit 200

FOLDER is a causal model's or a run's, TASKS holds blimp/*.jsonl. lm-evaluation-harness (`pip install "hornbook[eval]"`)
runs its own 67 tasks with Hugging Face's class, on the same files. It counts a tie as right, Hornbook as half. Without
`--limit`, all 67,000 pairs are asked. The exit status is 1 where any paradigm differs.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from hornbook.evaluation.minimal_pairs import SUITES, measure_pairs, read_suite
from hornbook.loading import load_model
from hornbook.quiet import quieten_transformers


@dataclass(frozen=True)
class Compared:
    """One paradigm: how many pairs each finds right, of how many, with Hornbook's ties as half."""

    paradigm: str
    pairs: int
    ours: float
    ties: int
    theirs: float

    @property
    def equal(self) -> bool:
        """Whether they agree, with ties counted as the harness does."""
        return abs(self.ours + self.ties / 2 - self.theirs) < 1e-6


def compare(folder: Path, data: Path, limit: int | None, batch: int = 64) -> Iterator[Compared]:
    """Ask both all paradigms."""
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    loaded = load_model(folder)
    paradigms = read_suite(SUITES["blimp"], data, limit)
    ours = measure_pairs(loaded, "BLiMP", paradigms, "lm-eval").paradigms
    manager = TaskManager()
    model = HFLM(pretrained=str(loaded.folder), device="cpu", batch_size=batch)
    with TemporaryDirectory() as written:
        for paradigm in paradigms:
            rows = Path(written) / f"{paradigm.name}.jsonl"
            rows.write_text(
                "".join(
                    json.dumps({"sentence_good": pair.good.text, "sentence_bad": pair.bad.text}) + "\n"
                    for pair in paradigm.pairs
                ),
                "utf-8",
            )
            files = {"data_files": {"train": str(rows)}, "cache_dir": f"{written}/cache"}
            source = {"dataset_path": "json", "dataset_name": None, "dataset_kwargs": files}
            name = f"blimp_{paradigm.name}"
            included = str(manager.task_index[name].yaml_path)
            task = json.dumps({"include": included, "task": name, **source})  # JSON is YAML
            rows.with_suffix(".yaml").write_text(task, "utf-8")
        tasks = [f"{written}/{paradigm.name}.yaml" for paradigm in paradigms]
        found = simple_evaluate(
            model=model, tasks=tasks, task_manager=manager, bootstrap_iters=0, log_samples=False
        )
    for paradigm in paradigms:
        pairs, one = len(paradigm.pairs), ours[paradigm.name]
        share = found["results"][f"blimp_{paradigm.name}"]["acc,none"]
        yield Compared(paradigm.name, pairs, one.right * pairs / 100, one.ties, share * pairs)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    given = parser.parse_args()
    quieten_transformers()
    torch.set_num_threads(given.threads)
    began, told = time.monotonic(), []
    for one in compare(given.folder, given.data, given.limit):
        told.append(one)
        print(
            f"{one.paradigm}: {one.pairs} pairs, {one.ours:g} right by Hornbook with {one.ties} ties, "
            f"{one.theirs:g} by lm_eval{'' if one.equal else '  DIFFERENT'}",
            flush=True,
        )
    pairs, equal = sum(one.pairs for one in told), sum(one.equal for one in told)
    print(
        f"{equal} of {len(told)} paradigms equal, {pairs:,} pairs, {sum(one.ties for one in told)} ties; "
        f"{100 * sum(one.ours / one.pairs for one in told) / len(told):.2f} % and "
        f"{100 * sum(one.theirs / one.pairs for one in told) / len(told):.2f} % right; "
        f"{time.monotonic() - began:.0f} s"
    )
    sys.exit(equal < len(told))


if __name__ == "__main__":
    main()
