"""The launchers that the README names, as it names them: each trains with as many processes as it says."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from hornbook.testing.launching import launch
from hornbook.testing.runs import logged
from tests.training.launching import assert_as_one, counts, sharded, wait_for_step, write_recipe

ROOT = Path(__file__).parents[2]
SECTION = re.search(r"## Several processes\n(.*?)\n## ", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
assert SECTION
COMMANDS = re.findall(r"^\$ (.*? recipe\.yaml[^#\n]*)", SECTION[1], re.MULTILINE)
"""The README's own commands."""
_NAMES = ["torchrun", "accelerate", "torchrun-sharded", "accelerate-sharded"]
_SHARDED = ("training.shard=true", "--use_fsdp")

_MODULES = {"torchrun": "torch.distributed.run", "accelerate": "accelerate.commands.accelerate_cli"}


def start(command: str, path: Path, count: int) -> subprocess.Popen[str]:
    """Start a command of the README on another recipe and with another number of processes."""
    launcher, *rest = shlex.split(re.sub(r"(nproc_per_node|num_processes) 2", rf"\1 {count}", command))
    rest[rest.index("recipe.yaml")] = str(path)
    return subprocess.Popen(
        [sys.executable, "-m", _MODULES[launcher], *rest],
        env=os.environ | {"HORNBOOK_DEVICE": "cpu", "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_the_readme_names_both_launchers() -> None:
    shares = [any(one in command for one in _SHARDED) for command in COMMANDS]
    names = [command.split()[0] + "-sharded" * is_ for command, is_ in zip(COMMANDS, shares, strict=True)]
    assert names == _NAMES


@pytest.mark.long
@pytest.mark.parametrize(
    ("command", "count"),
    [
        pytest.param(
            command, count, id=f"{name}-{count}", marks=[pytest.mark.slow] * (count > 2 or name != "torchrun")
        )
        for command, name in zip(COMMANDS, _NAMES, strict=True)
        for count in (2, 4)
    ],
)
def test_a_launcher_gives_as_many_processes_as_it_says(
    command: str, count: int, tmp_path: Path, story_file: Path
) -> None:
    launched = start(command, write_recipe(tmp_path, story_file, "run"), count)
    printed = launched.communicate(timeout=300)[0]
    assert launched.returncode == 0, printed
    assert counts(tmp_path / "run") == [count]
    assert sharded(tmp_path / "run") == [any(one in command for one in _SHARDED)]
    assert launch(1, write_recipe(tmp_path, story_file, "one")).wait().codes == [0]
    assert counts(tmp_path / "one") == [1]
    assert_as_one(tmp_path / "run", tmp_path / "one")
    assert printed.count("The page:") == printed.count("run: step 6 of 6") == 1
    assert (tmp_path / "run" / "page.html").exists()


@pytest.mark.slow
def test_accelerates_launcher_that_starts_one_of_two_is_refused(tmp_path: Path, story_file: Path) -> None:
    command = "accelerate launch --cpu --num_processes 2 -m hornbook train recipe.yaml"
    launched = start(command, write_recipe(tmp_path, story_file, "run"), 2)
    printed = launched.communicate(timeout=300)[0]
    assert launched.returncode and "accelerate launch was asked for several processes" in printed
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("processes", [2, 4])
def test_the_first_fsdp_is_refused(processes: int, tmp_path: Path, story_file: Path) -> None:
    options = "--use_fsdp --fsdp_version 1 --num_processes 2"
    command = f"accelerate launch {options} -m hornbook train recipe.yaml"
    launched = start(command, write_recipe(tmp_path, story_file, "run"), processes)
    printed = launched.communicate(timeout=300)[0]
    told = [line for line in printed.splitlines() if line.startswith("hornbook: ")]
    assert launched.returncode and len(told) == 1, printed
    assert told[0].startswith(
        "hornbook: ACCELERATE_USE_FSDP is true and FSDP_VERSION 1, but Hornbook divides a model by FSDP2 alone: add "
        "--fsdp_version 2"
    )
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("killed", [0, 1, 3])
@pytest.mark.parametrize("command", COMMANDS, ids=_NAMES)
def test_one_that_is_killed_is_named(command: str, killed: int, tmp_path: Path, story_file: Path) -> None:
    """The launcher keeps the store by which the processes speak, so that the first one is named too."""
    count = max(2, killed + 1)
    path = write_recipe(tmp_path, story_file, "run", training={"steps": 1000, "checkpoint_every": 50})
    launched = start(command, path, count)
    wait_for_step(tmp_path / "run", 60, 900)
    workers = {
        worker.environ()["RANK"]: worker
        for worker in psutil.Process(launched.pid).children(recursive=True)
        if "RANK" in worker.environ()
    }
    victim = workers[str(killed)]
    victim.kill()
    printed = launched.communicate(timeout=30)[0]
    assert launched.returncode
    [told] = [line for line in printed.splitlines() if line.startswith("hornbook: ")]
    assert f"rank {killed} of {count} (process {victim.pid} on " in told and "is gone" in told
    assert "gloo" not in printed
    again = start(command, path, count)
    printed = again.communicate(timeout=900)[0]  # four share two cores, maybe beside other programs
    assert again.returncode == 0 and "Going on from step" in printed
    assert logged(tmp_path / "run")[-1][1] == 1000 and counts(tmp_path / "run") == [count]
