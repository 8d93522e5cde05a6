"""A study's runs as jobs of a Slurm cluster, through submitit: one job an arm and seed."""

import json
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping
from getpass import getuser
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from hornbook.errors import HornbookError, Interrupted, one_line
from hornbook.machine import cores
from hornbook.reporter import Reporter
from hornbook.section import Section
from hornbook.studies.work import Stopped, heed
from hornbook.threads import use_threads
from hornbook.training.interrupt import watch

On = Literal["slurm", "local"]
"""Where jobs run: in Slurm's queue, or as processes of this machine, by which a study is tried before it is sent."""

Job = Callable[[], dict[str, Any]]

_LATE = 5
"""How often a job may be missing from the queue before its result is given up."""


class Cluster(Section):
    """What each job asks Slurm for: the lines of an sbatch file that differ from cluster to cluster."""

    partition: str | None = None
    account: str | None = None
    hours: float = Field(4, gt=0, le=10**5)
    """The most that a run takes, with its measures. A run that takes longer saves, is queued again and goes on."""
    gpus: int = Field(0, ge=0, le=1000)
    cores: int = Field(1, ge=1, le=10**4)
    memory: str = Field("8G", pattern=r"^\d+[KMGT]?$")
    setup: list[str] = Field(default_factory=list)
    """Lines of shell before the run, such as `module load cuda`."""
    at_once: int = Field(256, ge=1, le=10**6)
    """How many jobs run at the same time at most."""
    more: dict[str, str | Annotated[int, Field(ge=-(10**12), le=10**12)]] = Field(default_factory=dict)
    """Other options of sbatch, by their long names: `{qos: short, constraint: a100}`."""

    def parameters(self) -> dict[str, Any]:
        """Return what submitit calls them."""
        return {
            "timeout_min": max(1, round(60 * self.hours)),
            "slurm_partition": self.partition,
            "slurm_account": self.account,
            "slurm_gpus_per_node": self.gpus or None,
            "slurm_cpus_per_task": self.cores,
            "slurm_mem": self.memory,
            "slurm_setup": self.setup,
            "slurm_array_parallelism": self.at_once,
            "slurm_additional_parameters": self.more,
        }


class _Resumed:
    """A job that Slurm may stop: queued again, it goes on from its run's last checkpoint."""

    def __init__(self, job: Job, threads: int) -> None:
        self.job, self.threads = job, threads

    def __call__(self) -> dict[str, Any] | Stopped:
        use_threads(self.threads)
        return heed(self.job)

    def checkpoint(self) -> Any:
        """Give submitit what it queues again."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


def check_cluster(on: On) -> None:
    """Raise HornbookError where no jobs can be sent from here."""
    try:
        import submitit  # noqa: F401
    except ImportError as error:
        raise HornbookError(
            f"--on {on} sends jobs by submitit, which isn't installed: pip install 'hornbook[slurm]'"
        ) from error
    missing = [name for name in ("sbatch", "srun", "squeue") if not shutil.which(name)]
    if on == "slurm" and missing:
        raise HornbookError(
            f"--on slurm: there is no {missing[0]} here: give the command on a node from which the cluster takes jobs, "
            "or leave --on out"
        )


def send(
    jobs: Mapping[str, Job], on: On, cluster: Cluster, folder: Path, report: Reporter
) -> dict[str, dict[str, Any]]:
    """Do each job in one of the cluster's, and return the results by name; one that ends without any has `failed`.

    What is still in Slurm's queue from an earlier call isn't sent again. `folder` keeps submitit's files: what was
    sent, each job's sbatch file and output. Raises HornbookError where Slurm refuses, and Interrupted after Ctrl-C:
    Slurm's jobs then go on.
    """
    import submitit

    folder.mkdir(parents=True, exist_ok=True)
    executor = submitit.AutoExecutor(folder / "%j", cluster=on)
    executor.update_parameters(name="hornbook", **cluster.parameters())
    waiting = {name: job for name, job in _sent(folder).items() if name in jobs} if on == "slurm" else {}
    unsent = {name: _Resumed(job, cluster.cores) for name, job in jobs.items() if name not in waiting}
    found: dict[str, dict[str, Any]] = {}
    gone: Counter[str] = Counter()
    with watch() as signals, report.shares() as share:
        while waiting or unsent:
            # Slurm has a queue of its own; here there are as many jobs as cores.
            now = list(unsent)[: None if on == "slurm" else max(0, cores() - len(waiting))]
            if now:
                waiting |= _submit(executor, {name: unsent.pop(name) for name in now})
                sent = {name: [one.job_id, str(one.paths.folder)] for name, one in waiting.items()}
                (folder / "sent.json").write_text(json.dumps(sent), "utf-8")
            queue = _queue() if on == "slurm" else None
            for name, one in list(waiting.items()):
                gone[name] += one.done() if on == "local" else queue is not None and one.job_id not in queue
                # A shared disk may show a result some seconds after the job has left the queue.
                if one.paths.result_pickle.exists() or gone[name] > (_LATE if on == "slurm" else 0):
                    found[name] = _result(name, waiting.pop(name))
                    share("Runs", len(found) / len(jobs))
            if signals.received:
                for one in waiting.values() if on == "local" else ():
                    one.cancel()
                goes = "goes on in Slurm (scancel ends it)" if on == "slurm" else "is saved"
                raise Interrupted(
                    f"the study was stopped, and what was sent {goes}; run the same command to go on",
                    signals.received,
                )
            time.sleep(0.2 if on == "local" else 2)
    return found


def _submit(executor: Any, jobs: Mapping[str, _Resumed]) -> dict[str, Any]:
    """Send jobs, as one array. Raises HornbookError with what sbatch says."""
    sent = []
    try:
        with executor.batch():
            sent = [executor.submit(job) for job in jobs.values()]
    except Exception as error:  # submitit's own, and those of the commands that it runs
        raise HornbookError(
            f"sbatch refuses the jobs: {one_line(error)}: correct cluster in the study's file"
        ) from error
    return dict(zip(jobs, sent, strict=True))


def _queue() -> set[str] | None:
    """Ask Slurm which jobs haven't ended; None where it doesn't answer. (Not every cluster has sacct's accounting.)"""
    command = ["squeue", "--noheader", "--array", "--user", getuser(), "--format", "%i"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return set(answer.stdout.split()) if answer.returncode == 0 else None


def _sent(folder: Path) -> dict[str, Any]:
    """Find the jobs of an earlier call that haven't ended."""
    import submitit

    if not (folder / "sent.json").exists():
        return {}
    sent, queue = json.loads((folder / "sent.json").read_text("utf-8")), _queue() or set()
    return {
        name: submitit.SlurmJob(folder=place, job_id=number)
        for name, (number, place) in sent.items()
        if number in queue
    }


def _result(name: str, job: Any) -> dict[str, Any]:
    told = f"{name}: its job {job.job_id} gave no result: see {job.paths.stderr}"
    if not job.paths.result_pickle.exists():
        return {"failed": told}
    try:
        found = job.result()
    except Exception as error:  # submitit's own, with the job's whole output
        return {"failed": told.replace("no result", f"no result ({one_line(error):.200})")}
    if isinstance(found, Stopped):
        return {"failed": f"{name}: its job {job.job_id} was stopped, and the run is saved"}
    return dict(found)
