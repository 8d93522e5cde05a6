"""Memory is kept from one step to the next."""

import platform
import subprocess
import sys

import pytest

STEPS = """
import resource, sys
import torch
from hornbook.training.heap import keep_heap
if sys.argv[1] == "kept":
    keep_heap()
def step():
    tensors = [torch.ones(10 * 2**20) for _ in range(2)]  # 40 MiB each: glibc's own threshold grows up to 32
for _ in range(20):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.long
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the heap is kept with glibc only")
def test_a_step_faults_no_memory_in_that_the_steps_before_had() -> None:
    def faults(how: str) -> int:
        run = subprocess.run([sys.executable, "-c", STEPS, how], capture_output=True, text=True, check=True)
        return int(run.stdout)

    assert faults("kept") < faults("returned") / 10
