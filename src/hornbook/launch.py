"""How this process was started: its command, and the number of processes that a launcher set in the environment."""

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hornbook.errors import HornbookError, SharedError

_COUNTS = {
    "WORLD_SIZE": "RANK",
    "PMI_SIZE": "PMI_RANK",
    "OMPI_COMM_WORLD_SIZE": "OMPI_COMM_WORLD_RANK",
    "MV2_COMM_WORLD_SIZE": "MV2_COMM_WORLD_RANK",
}
"""The variables from which Accelerate reads the number of processes, each with the variable of the process's rank."""

_OTHER_WAYS = {
    "ACCELERATE_USE_DEEPSPEED": "DeepSpeed",
    "ACCELERATE_USE_MEGATRON_LM": "Megatron-LM",
    "ACCELERATE_USE_PARALLELISM_CONFIG": "a parallelism config",
}
_TRUE = ("1", "true", "yes", "y", "on", "t")

_UNSERVED = {
    "FSDP_OFFLOAD_PARAMS": "--fsdp_offload_params",
    "FSDP_ACTIVATION_CHECKPOINTING": "--fsdp_activation_checkpointing",
}
"""What FSDP of Accelerate's can be asked for, and Hornbook doesn't do."""

TORCHRUN = "torchrun --nproc_per_node N -m hornbook train recipe.yaml"


@dataclass(frozen=True)
class Launch:
    """The processes that a launcher asked for."""

    processes: int = 1
    said: str = "no launcher"
    """Where the number comes from, such as "WORLD_SIZE is 2"."""
    several: bool = False
    """Whether there is a launcher at all; one may start a single process too."""


def read_launch(environment: Mapping[str, str] = os.environ) -> Launch:
    """Read how this process was launched.

    Raises HornbookError if several processes were started so that they can't find each other, or with a way to share a
    model that Hornbook doesn't have.
    """
    for variable, way in _OTHER_WAYS.items():
        if environment.get(variable, "").lower() in _TRUE:
            raise SharedError(
                f"{variable} is {environment[variable]}, but Hornbook can't train with {way}: each of its processes "
                f"holds the whole model (DDP), or a part of it (FSDP2): launch it without that option, such as with "
                f"{TORCHRUN}"
            )
    if asks_for_shards(environment):
        _check_shards(environment)
    for count, rank in _COUNTS.items():
        if count in environment:
            processes = _number(environment, count, least=1)
            if processes > 1:
                _check_addresses(environment, count, rank, processes)
            elif "LOCAL_RANK" not in environment:
                return Launch(said=f"{count} is 1")
            return Launch(processes, f"{count} is {processes}", True)
    if "MASTER_ADDR" in environment and "ACCELERATE_MIXED_PRECISION" in environment:
        raise HornbookError(
            "accelerate launch was asked for several processes (it set MASTER_ADDR), but it started only one, as it "
            f"does on CPUs: add --multi_gpu, which starts all of them on CPUs too, or use {TORCHRUN}"
        )
    if (tasks := environment.get("SLURM_STEP_NUM_TASKS", "1")) != "1":
        raise SharedError(
            f"SLURM_STEP_NUM_TASKS is {tasks}, so srun started {tasks} processes, but PyTorch can't read srun's "
            "variables: start one torchrun on each node (srun --ntasks-per-node 1 torchrun ...), or set WORLD_SIZE, "
            "RANK, LOCAL_RANK, MASTER_ADDR and MASTER_PORT in each process; for separate runs set WORLD_SIZE=1"
        )
    return Launch()


def asks_for_shards(environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether `accelerate launch` was asked for FSDP."""
    return environment.get("ACCELERATE_USE_FSDP", "").lower() in _TRUE


def _check_shards(environment: Mapping[str, str]) -> None:
    """Refuse what Hornbook doesn't do by FSDP."""
    if (version := environment.get("FSDP_VERSION", "1")) != "2":
        raise SharedError(
            f"ACCELERATE_USE_FSDP is {environment['ACCELERATE_USE_FSDP']} and FSDP_VERSION {version}, but Hornbook "
            "divides a model by FSDP2 alone: add --fsdp_version 2"
        )
    for variable, option in _UNSERVED.items():
        if environment.get(variable, "").lower() in _TRUE:
            raise SharedError(
                f"{variable} is {environment[variable]}, but Hornbook doesn't do it: leave out {option}"
            )


def is_first(environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether this is the first or the only process that a launcher started."""
    ranks = [*_COUNTS.values(), "SLURM_PROCID"]
    return next((environment[rank] for rank in ranks if rank in environment), "0") == "0"


def _check_addresses(environment: Mapping[str, str], count: str, rank: str, processes: int) -> None:
    """Check that the processes can find each other."""
    missing = [name for name in (rank, "MASTER_ADDR", "MASTER_PORT") if name not in environment]
    if missing:
        raise HornbookError(
            f"{count} is {processes}, but {' and '.join(missing)} isn't set, so the processes can't find each "
            f"other: use {TORCHRUN}, or set it in each process; for one process unset {count}"
        )
    if (own := _number(environment, rank, least=0)) >= processes:
        raise HornbookError(
            f"{rank} is {own}, but {count} is {processes}: give each process a rank from 0 to {processes - 1}"
        )


def _number(environment: Mapping[str, str], name: str, least: int) -> int:
    value = environment[name]
    if not value.isdecimal() or int(value) < least:
        raise HornbookError(
            f"{name} is {value!r}, but it has to be a whole number from {least}: correct it or unset it"
        )
    return int(value)


def refuse_several(command: str) -> None:
    """Raise HornbookError if several processes run a command that works in one process."""
    launch = read_launch()
    if launch.processes > 1:
        raise SharedError(
            f"{launch.said}, but `hornbook {command}` works in one process: only `hornbook train` shares its work. "
            "Run it without the launcher"
        )


def command() -> str:
    """Give the command that started this process, as a shell takes it."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
