"""Whoever launches several processes gets several, or reads why not: what the environment tells of a launcher."""

import subprocess
import sys

import pytest

from hornbook.errors import HornbookError, SharedError
from hornbook.launch import Launch, asks_for_shards, is_first, read_launch

TORCHRUN = {
    "WORLD_SIZE": "2",
    "RANK": "1",
    "LOCAL_RANK": "1",
    "MASTER_ADDR": "127.0.0.1",
    "MASTER_PORT": "29500",
}
FSDP = TORCHRUN | {"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "2", "FSDP_OFFLOAD_PARAMS": "false"}


def test_what_a_launcher_started_is_read() -> None:
    assert read_launch({}) == Launch()
    assert read_launch(TORCHRUN) == Launch(2, "WORLD_SIZE is 2", True)
    assert read_launch(TORCHRUN | {"WORLD_SIZE": "1", "RANK": "0"}) == Launch(1, "WORLD_SIZE is 1", True)
    mpirun = {
        "OMPI_COMM_WORLD_SIZE": "4",
        "OMPI_COMM_WORLD_RANK": "3",
        "MASTER_ADDR": "a",
        "MASTER_PORT": "1",
    }
    assert read_launch(mpirun) == Launch(4, "OMPI_COMM_WORLD_SIZE is 4", True)
    assert not read_launch({"SLURM_STEP_NUM_TASKS": "8", "WORLD_SIZE": "1"}).several
    assert read_launch({"SLURM_STEP_NUM_TASKS": "2"} | TORCHRUN).processes == 2  # one torchrun on each node
    assert read_launch(FSDP).processes == 2 and asks_for_shards(FSDP) and not asks_for_shards(TORCHRUN)
    assert is_first({}) and is_first({"RANK": "0"}) and not is_first(TORCHRUN)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        (
            {"ACCELERATE_MIXED_PRECISION": "no", "MASTER_ADDR": "127.0.0.1"},
            "it started only one, .*--multi_gpu",
        ),
        (
            {"SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "1"},
            "SLURM_STEP_NUM_TASKS is 4, .*can't read srun's",
        ),
        (FSDP | {"FSDP_VERSION": "1"}, "FSDP_VERSION 1, .* FSDP2 alone: add --fsdp_version 2"),
        (
            FSDP | {"FSDP_OFFLOAD_PARAMS": "true"},
            "FSDP_OFFLOAD_PARAMS is true, .* leave out --fsdp_offload_params",
        ),
        (
            FSDP | {"FSDP_ACTIVATION_CHECKPOINTING": "true"},
            "FSDP_ACTIVATION_CHECKPOINTING is true, .* leave out --fsdp_activation_checkpointing",
        ),
        (TORCHRUN | {"ACCELERATE_USE_DEEPSPEED": "1"}, "can't train with DeepSpeed"),
        ({"WORLD_SIZE": "2"}, "WORLD_SIZE is 2, but RANK and MASTER_ADDR and MASTER_PORT isn't set"),
        ({"WORLD_SIZE": "two"}, "WORLD_SIZE is 'two', but it has to be a whole number from 1"),
        (TORCHRUN | {"RANK": "2"}, "RANK is 2, but WORLD_SIZE is 2: give each process a rank from 0 to 1"),
    ],
)
def test_processes_that_would_stay_apart_are_refused(environment: dict[str, str], said: str) -> None:
    with pytest.raises(HornbookError, match=said):
        read_launch(environment)


def test_a_command_for_one_process_is_refused_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    told = []
    for rank in ("0", "1"):
        monkeypatch.setenv("RANK", rank)
        command = [sys.executable, "-m", "hornbook", "families"]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 2 and done.stdout == ""
        told.append(done.stderr)
    assert told[0].startswith("hornbook: WORLD_SIZE is 2, but `hornbook families` works in one process")
    assert told[1] == "" and issubclass(SharedError, HornbookError)
