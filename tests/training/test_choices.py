"""Tiny runs under every value of what the machine chooses: each trains, is evaluated and says what was chosen.

Some are decided when a process begins, so that each set of values has a process of its own, and the checks share them.
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file

pytestmark = pytest.mark.long

STEPS = 4
RUN = """
import os, sys
from pathlib import Path
one_core, environment, recipes = {one_core!r}, {environment!r}, {recipes!r}
for name in [name for name in os.environ if name.startswith(("HORNBOOK_", "THP_", "ATEN_", "OMP_"))]:
    del os.environ[name]
os.environ.update(environment)
if one_core:  # before PyTorch counts them
    os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
from hornbook.training.train import start
from hornbook.evaluation.evaluate import evaluate_run
from hornbook.recipe import read_recipe
from hornbook.reporter import Reporter
for path in recipes:
    recipe = read_recipe(Path(path))
    start(recipe, Reporter()).train()
    evaluate_run(recipe.folder)
"""
GPT_NEO = {
    "preset": "tinystories-1m",
    "length": 32,
    "config": {"hidden_size": 32, "num_layers": 2, "num_heads": 2, "window_size": 8},
}
BERT = {
    "preset": "bert-tiny",
    "length": 32,
    "config": {"hidden_size": 32, "num_hidden_layers": 2, "intermediate_size": 48},
}
"""With dropout, as its preset has it."""

X86 = platform.machine().lower() in ("x86_64", "amd64")
WIDE = X86 and torch.backends.cpu.get_cpu_capability() == "AVX512"
NARROW = {"ATEN_CPU_CAPABILITY": "avx2"} if X86 else {}
GLIBC, LINUX = platform.libc_ver()[0] == "glibc", sys.platform.startswith("linux")
SETS: dict[str, dict[str, str]] = {
    "kept": {
        **NARROW,
        "HORNBOOK_THREADS": "1",
        "HORNBOOK_HEAP": "keep" if GLIBC else "auto",
        "HORNBOOK_HUGE_PAGES": "on" if LINUX else "auto",
        "HORNBOOK_KERNELS": "own",
        "HORNBOOK_DEVICE": "cpu",
        "HORNBOOK_PRECISION": "fp32",
    },
    "left": {
        **NARROW,
        "HORNBOOK_THREADS": "1",
        "HORNBOOK_HEAP": "leave",
        "HORNBOOK_HUGE_PAGES": "on" if LINUX else "auto",
        "HORNBOOK_PRECISION": "fp32",
        "HORNBOOK_DEVICE": "cpu",
    },
    "small-pages": {
        **NARROW,
        "HORNBOOK_THREADS": "1",
        "HORNBOOK_HUGE_PAGES": "off",
        "HORNBOOK_PRECISION": "fp32",
        "HORNBOOK_DEVICE": "cpu",
    },
    "torch": {
        **NARROW,
        "HORNBOOK_THREADS": "1",
        "HORNBOOK_KERNELS": "torch",
        "HORNBOOK_PRECISION": "fp32",
        "HORNBOOK_DEVICE": "cpu",
    },
    "plain-instructions": {
        "ATEN_CPU_CAPABILITY": "default",
        "HORNBOOK_THREADS": "2",
        "HORNBOOK_PRECISION": "fp32",
        "HORNBOOK_DEVICE": "cpu",
    },
    "wide-instructions": {
        **({"ATEN_CPU_CAPABILITY": "avx512"} if WIDE else {}),
        "HORNBOOK_THREADS": "8",
        "HORNBOOK_PRECISION": "bf16",
        "HORNBOOK_DEVICE": "cpu",
    },
    "one-core": {**NARROW, "HORNBOOK_PRECISION": "fp32", "HORNBOOK_DEVICE": "cpu"},
}
if not LINUX:
    del SETS["one-core"]


QUICK = ("kept", "one-core")
"""The others are tried in the slow tests."""
EACH = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in SETS]

Run = Callable[[str, str], Path]


@pytest.fixture(scope="module")
def run_of(tmp_path_factory: pytest.TempPathFactory, story_file: Path) -> Run:
    """Give what trains and evaluates a model under a set of values, once, and gives the run's folder."""
    folder = tmp_path_factory.mktemp("choices")
    context = get_context("forkserver" if sys.platform != "win32" else "spawn")
    context.set_forkserver_preload(["hornbook.training.train", "hornbook.training.loop", "hornbook.contract"])

    @cache
    def both(name: str) -> None:
        recipes = [
            write(folder, story_file, f"{name}-gpt", GPT_NEO, "causal"),
            write(folder, story_file, f"{name}-bert", BERT, "masked"),
        ]
        code = RUN.format(one_core=name == "one-core", environment=SETS[name], recipes=recipes)
        if name == "one-core":  # OpenMP counts the cores when PyTorch is imported
            subprocess.run([sys.executable, "-c", code], check=True)
            return
        process = context.Process(target=exec, args=(code, {}))
        process.start()
        process.join()
        assert process.exitcode == 0

    def run_of_model(name: str, model: str) -> Path:
        both(name)
        return folder / f"{name}-{model}"

    return run_of_model


def write(folder: Path, story_file: Path, name: str, model: dict[str, Any], objective: str) -> str:
    recipe = {
        "name": name,
        "out": str(folder / name),
        "cache": str(folder / "cache"),
        "corpus": {"path": str(story_file), "documents": "line", "heldout_fraction": 0.05},
        "tokenizer": {"vocab_size": 512},
        "model": model,
        "objective": objective,
        "training": {
            "steps": STEPS,
            "batch": 8,
            "evaluate_every": STEPS,
            "checkpoint_every": STEPS,
            "evaluate_windows": 8,
            "log_every": 1,
            "trackers": [],
        },
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(recipe), "utf-8")
    return str(path)


def machine(run: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((run / "run.json").read_text("utf-8"))["machine"]
    return facts


def losses(run: Path) -> list[float]:
    lines = map(json.loads, (run / "log.jsonl").read_text("utf-8").splitlines())
    return [line["loss"] for line in lines]


def assert_same_bits(run: Path, other: Path) -> None:
    expected, found = (load_file(one / "model" / "model.safetensors") for one in (run, other))
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert losses(run) == losses(other)


@pytest.mark.parametrize("model", ["gpt", "bert"])
@pytest.mark.parametrize("name", EACH)
def test_each_set_of_values_trains_is_evaluated_and_is_recorded(name: str, model: str, run_of: Run) -> None:
    run, asked = run_of(name, model), SETS[name]
    assert len(losses(run)) == STEPS + 1
    assert json.loads((run / "evaluation.json").read_text("utf-8"))["measures"]
    choices = machine(run)["choices"]
    names = {
        "HORNBOOK_HEAP": "heap",
        "HORNBOOK_HUGE_PAGES": "huge pages",
        "HORNBOOK_KERNELS": "kernels",
        "HORNBOOK_THREADS": "threads",
        "HORNBOOK_PRECISION": "precision",
        "HORNBOOK_DEVICE": "device",
        "ATEN_CPU_CAPABILITY": "instruction set",
    }
    for variable, value in asked.items():
        if value != "auto":
            told = choices[names[variable]]
            assert told["chosen"].lower() == value and told["why"] == f"{variable} is {value}"
    assert machine(run)["threads"] == int(choices["threads"]["chosen"])


@pytest.mark.slow
@pytest.mark.parametrize("model", ["gpt", "bert"])
@pytest.mark.parametrize("name", ["left", "small-pages"])
def test_how_memory_is_kept_changes_no_bit(name: str, model: str, run_of: Run) -> None:
    assert_same_bits(run_of("kept", model), run_of(name, model))


@pytest.mark.slow
def test_pytorchs_kernels_compute_what_our_own_do(run_of: Run) -> None:
    """Without dropout, whose random numbers are others."""
    assert losses(run_of("torch", "gpt")) == pytest.approx(losses(run_of("kept", "gpt")), rel=1e-5)
    assert losses(run_of("torch", "bert")) == pytest.approx(losses(run_of("kept", "bert")), rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["gpt", "bert"])
def test_instruction_sets_and_threads_compute_the_same_but_for_rounding(model: str, run_of: Run) -> None:
    expected = losses(run_of("kept", model))
    assert losses(run_of("plain-instructions", model)) == pytest.approx(expected, rel=1e-5)
    assert losses(run_of("wide-instructions", model)) == pytest.approx(expected, rel=0.02)  # in bf16


@pytest.mark.skipif("one-core" not in SETS, reason="only Linux binds a process to a core")
@pytest.mark.parametrize("model", ["gpt", "bert"])
def test_one_core_is_one_thread_and_the_same_bits_as_one_thread_on_many(model: str, run_of: Run) -> None:
    facts = machine(run_of("one-core", model))
    assert facts["cores"] == facts["threads"] == 1
    assert facts["choices"]["threads"]["why"] == "one for each core that this process may use"
    assert_same_bits(run_of("kept", model), run_of("one-core", model))
    assert machine(run_of("kept", model))["cores"] == len(os.sched_getaffinity(0))
