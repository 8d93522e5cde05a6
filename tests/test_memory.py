"""What a process can still take is read where Linux tells it: of the machine, and of the groups that limit it."""

from pathlib import Path

import pytest

from hornbook import memory
from hornbook.errors import HornbookError

GIB = 2**30


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with 7 GiB to take and 1 of swap, and this process in a group of version 2."""
    monkeypatch.setattr(memory, "_PROC", tmp_path / "proc")
    monkeypatch.setattr(memory, "_GROUPS", tmp_path / "groups")
    monkeypatch.setenv("HORNBOOK_DEVICE", "cpu")
    monkeypatch.delenv("HORNBOOK_MEMORY", raising=False)
    (tmp_path / "proc" / "self").mkdir(parents=True)
    told = f"MemTotal: {16 * 2**20} kB\nMemAvailable:   {7 * 2**20} kB\nSwapFree:   {2**20} kB\n"
    (tmp_path / "proc" / "meminfo").write_text(told)
    (tmp_path / "proc" / "self" / "cgroup").write_text("0::/user/job\n")
    (tmp_path / "groups" / "user" / "job").mkdir(parents=True)
    return tmp_path


def limit(group: Path, most: int | str, used: int, cache: int = 0) -> None:
    (group / "memory.max").write_text(f"{most}\n")
    (group / "memory.current").write_text(f"{used}\n")
    (group / "memory.stat").write_text(f"anon 1\ninactive_file {cache}\n")


def test_the_machine(system: Path) -> None:
    assert memory.available_memory() == (8 * GIB, "this machine has")
    limit(system / "groups" / "user" / "job", "max", GIB)
    assert memory.available_memory() == (8 * GIB, "this machine has")


def test_a_group_and_those_around_it(system: Path) -> None:
    limit(system / "groups" / "user" / "job", 4 * GIB, GIB, GIB // 2)
    assert memory.available_memory() == (3 * GIB + GIB // 2, "this process's group has")
    limit(system / "groups" / "user", 2 * GIB, GIB)
    assert memory.available_memory() == (GIB, "this process's group has")


def test_groups_of_version_1(system: Path) -> None:
    (system / "proc" / "self" / "cgroup").write_text("5:cpu:/job\n3:memory:/job\n")
    place = system / "groups" / "memory" / "job"
    place.mkdir(parents=True)
    (place / "memory.limit_in_bytes").write_text(f"{3 * GIB}")
    (place / "memory.usage_in_bytes").write_text(f"{GIB}")
    (place / "memory.stat").write_text("")
    assert memory.available_memory() == (2 * GIB, "this process's group has")


def test_where_nothing_tells_it(system: Path) -> None:
    (system / "proc" / "meminfo").unlink()
    (system / "proc" / "self" / "cgroup").unlink()
    assert memory.available_memory() is None


def test_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HORNBOOK_MEMORY", "1.5")
    assert memory.available_memory() == (3 * GIB // 2, "HORNBOOK_MEMORY says")
    for wrong in ("0", "-1", "x", "nan", "1e3"):
        monkeypatch.setenv("HORNBOOK_MEMORY", wrong)
        with pytest.raises(HornbookError, match="has to be GiB above 0"):
            memory.available_memory()
