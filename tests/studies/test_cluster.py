"""A study's runs as jobs: what Slurm is asked for, what is queued again, and what is refused; and submitit's own."""

import os
import shutil
import signal
import stat
import sys
from functools import partial
from pathlib import Path

import pytest

from hornbook.errors import HornbookError, Interrupted
from hornbook.reporter import Reporter
from hornbook.studies import cluster as module
from hornbook.studies.cluster import Cluster, check_cluster, send

QUIET = Reporter(silent=True)
ASKED = Cluster(
    partition="gpu", account="mine", hours=1.5, gpus=1, cores=4, memory="16G", setup=["module load cuda"],
    at_once=3, more={"qos": "short"},
)  # fmt: skip
LINES = (
    "--partition=gpu",
    "--account=mine",
    "--time=90",
    "--gpus-per-node=1",
    "--cpus-per-task=4",
    "--mem=16G",
    "--qos=short",
    "--array=0-1%2",
)


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Slurm that takes jobs, runs none, and says that those in the file `queue` haven't ended."""
    place = tmp_path / "slurm"
    place.mkdir()
    programs = {
        "sbatch": f'cp "$1" {place}/asked.sh; echo sent >> {place}/calls; echo "Submitted batch job 7"',
        "srun": "exit 0",
        "squeue": f"cat {place}/queue",
    }
    for name, text in programs.items():
        (place / name).write_text(f"#!/bin/sh\n{text}\n")
        (place / name).chmod(stat.S_IRWXU)
    (place / "queue").write_text("")
    monkeypatch.setenv("PATH", f"{place}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(module.time, "sleep", lambda seconds: None)
    return place


JOBS = {"a-0": partial(dict, value=1), "b-0": partial(dict, value=2)}


def test_slurm_is_asked_for_what_the_study_says(slurm: Path, tmp_path: Path) -> None:
    found = send(JOBS, "slurm", ASKED, tmp_path / "jobs", QUIET)
    asked = (slurm / "asked.sh").read_text()
    assert all(f"#SBATCH {line}" in asked for line in LINES), asked
    assert asked.index("module load cuda") < asked.index("submitit.core")
    # Both have left the queue without a result: that is what is told, with where their output is.
    assert set(found) == set(JOBS) and all("gave no result" in one["failed"] for one in found.values())
    assert "job 7_0" in found["a-0"]["failed"] and str(tmp_path / "jobs") in found["a-0"]["failed"]


def test_what_is_queued_is_not_sent_again(
    slurm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (slurm / "queue").write_text("7_0\n7_1\n")

    monkeypatch.setattr(module.time, "sleep", lambda seconds: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(Interrupted, match="goes on in Slurm"):
        send(JOBS, "slurm", ASKED, tmp_path / "jobs", QUIET)
    with pytest.raises(Interrupted):
        send(JOBS, "slurm", ASKED, tmp_path / "jobs", QUIET)
    assert (slurm / "calls").read_text() == "sent\n"


def test_what_slurm_refuses_is_told(slurm: Path, tmp_path: Path) -> None:
    (slurm / "sbatch").write_text("#!/bin/sh\necho 'invalid partition specified: gpu' >&2; exit 1\n")
    with pytest.raises(HornbookError, match=r"sbatch refuses the jobs: .*invalid partition") as error:
        send(JOBS, "slurm", ASKED, tmp_path / "jobs", QUIET)
    assert "\n" not in str(error.value)


def test_a_job_that_slurm_stops_is_queued_again_as_it_was() -> None:
    job = module._Resumed(JOBS["a-0"], 1)
    assert job.checkpoint().function is job and job.checkpoint().args == ()


@pytest.mark.slow
def test_jobs_on_this_machine(tmp_path: Path) -> None:
    """Submitit's local executor: each job is a process of its own, and one that dies is told."""
    jobs = {"a-0": partial(dict, value=1), "b-0": partial(os._exit, 3)}
    found = send(jobs, "local", Cluster(), tmp_path / "jobs", QUIET)
    assert found["a-0"] == {"value": 1}
    assert "gave no result" in found["b-0"]["failed"]


def test_where_no_jobs_can_be_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("sbatch") is None
    with pytest.raises(HornbookError, match="--on slurm: there is no sbatch here"):
        check_cluster("slurm")
    check_cluster("local")
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(HornbookError, match=r"pip install 'hornbook\[slurm\]'"):
        check_cluster("local")
