"""A script without `if __name__ == "__main__":` has processes beside it, and runs once."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
from functools import partial
from hornbook.reporter import Reporter
from hornbook.studies.work import work

print("begun", flush=True)
print(work([partial(pow, 2, 3), partial(pow, 2, 4)], 2, Reporter(silent=True)), __file__)
"""


@pytest.mark.long
def test_a_script_needs_no_guard(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"begun\n[8, 16] {script}\n"
