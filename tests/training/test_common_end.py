"""All of several processes come to an end, every time: in one of six it did not (issue 18)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.training.launching import write_recipe

RUNS = 50
SERVER = """
import os, shutil, sys, time
import hornbook.training.train, hornbook.contract, hornbook.evaluation.evaluate, hornbook.report
import hornbook.training.loop, hornbook.training.processes, torch.nn.parallel
from hornbook.cli import main
recipe, folder, runs = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.environ |= dict(OMP_NUM_THREADS="1", HORNBOOK_DEVICE="cpu", MASTER_ADDR="127.0.0.1", WORLD_SIZE="2")
for run in range(runs):
    shutil.rmtree(folder, ignore_errors=True)
    left = {}
    for rank in ("0", "1"):
        if not (child := os.fork()):
            os.environ |= dict(RANK=rank, LOCAL_RANK=rank, MASTER_PORT=str(int(sys.argv[4]) + run))
            sys.argv = ["hornbook", "train", recipe]
            main()  # and then Python's own end, as in a run of its own
            sys.exit()
        left[child] = rank
    end = time.monotonic() + 60
    while left and time.monotonic() < end:
        child, status = os.waitpid(-1, os.WNOHANG)
        if child and left.pop(child) and status:
            print(f"run {run}: status {status}")
        time.sleep(0.01)
    for child in left:
        os.kill(child, 9)
        os.waitpid(child, 0)
        print(f"run {run}: rank {left[child]} never ended")
    print(f"run {run} done", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("shard", [False, True])
def test_the_end_is_reached_by_all(shard: bool, tmp_path: Path, story_file: Path) -> None:
    path = write_recipe(tmp_path, story_file, "run", training={"evaluate_windows": 1, "shard": shard})
    port = 20000 + os.getpid() % 10000
    command = [sys.executable, "-c", SERVER, str(path), str(tmp_path / "run"), str(RUNS), str(port)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=3600)
    assert done.stdout.splitlines() == [f"run {run} done" for run in range(RUNS)]
    assert '"processes": 2' in (tmp_path / "run" / "run.json").read_text("utf-8")
