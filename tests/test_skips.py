"""With HORNBOOK_ALL, what is skipped for want of an extra fails."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = {
    "test_module.py": 'import pytest\npytest.importorskip("nowhere", reason="pip install hornbook[play]")\n',
    "test_mark.py": (
        "import pytest\n"
        '@pytest.mark.skipif(True, reason="there is no chromium, chromium-browser or google-chrome")\n'
        "def test_browser(): ...\n"
        '@pytest.mark.skipif(True, reason="real data is not here")\n'
        "def test_data(): ...\n"
        "@pytest.mark.skipif(True, reason='lm-eval is not installed: pip install \"hornbook[eval]\"')\n"
        "def test_harness(): ...\n"
    ),
}


@pytest.mark.parametrize(
    ("value", "told"), [("1", "2 skipped, 2 errors in"), ("eval", "3 skipped, 1 error in")]
)
def test_a_skip_for_want_of_an_extra_fails(value: str, told: str, tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    options = ["-p", "tests.skips", "-p", "no:cacheprovider", "--continue-on-collection-errors"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", os.devnull, *options, str(tmp_path)],
        env=os.environ
        | {"HORNBOOK_ALL": value, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert told in done.stdout.splitlines()[-1], done.stdout + done.stderr
