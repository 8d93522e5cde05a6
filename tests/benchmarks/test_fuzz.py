"""What the fuzzer attacks can be attacked: each target reads some inputs, without Atheris and its coverage."""

import contextlib
import importlib
import random
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from hornbook.errors import HornbookError


class Drawn:
    """Stands for Atheris's provider of data: it gives what is drawn by a seed."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.asked = 0

    def ConsumeIntInRange(self, least: int, most: int) -> int:
        self.asked += 1
        return self.draw.randint(least, most)

    def ConsumeBytes(self, count: int) -> bytes:
        return self.draw.randbytes(count)

    def ConsumeUnicodeNoSurrogates(self, count: int) -> str:
        return "".join(chr(self.draw.randrange(0x20, 0xD800)) for _ in range(count))

    def PickValueInList(self, values: list[Any]) -> Any:
        return self.draw.choice(values)


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Callable[[Any], object]]:
    """What `python -m benchmarks.fuzz` attacks, with another module in Atheris's place where it isn't installed."""
    with pytest.MonkeyPatch.context() as patch:
        stub = ModuleType("atheris")
        stub.instrument_imports = lambda include: contextlib.nullcontext()  # type: ignore[attr-defined]
        patch.setitem(sys.modules, "atheris", stub)
        patch.delitem(sys.modules, "benchmarks.fuzz", raising=False)
        return importlib.import_module("benchmarks.fuzz").targets(tmp_path_factory.mktemp("fuzz"))


@pytest.mark.parametrize("what", ["recipe", "folder", "tokenizer", "corpus"])
def test_each_target_reads_or_refuses(what: str, targets: dict[str, Callable[[Any], object]]) -> None:
    read, refused = 0, 0
    for seed in range(8):
        data = Drawn(seed)
        try:
            targets[what](data)
            read += 1
        except HornbookError:
            refused += 1
        assert data.asked or what == "tokenizer", "nothing of the data was used"
    assert read + refused == 8 and refused
