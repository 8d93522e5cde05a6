"""The package's own doors: quick to import, and each name leads to the function that the command line calls."""

import subprocess
import sys

import hornbook


def test_import_is_quick_and_loads_no_torch() -> None:
    """0.3 seconds are a goal, and a timed assertion would say more of the machine: what costs them isn't loaded."""
    code = (
        "import sys, hornbook; print(sorted({'torch', 'transformers', 'rich', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_help_loads_no_torch() -> None:
    code = (
        "import sys; from hornbook.cli import app\n"
        "try: app(['train', '--help'])\n"
        "except SystemExit: print(sorted({'torch', 'transformers'} & set(sys.modules)), file=sys.stderr)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr == "[]\n"


def test_every_name_is_there() -> None:
    for name in hornbook.__all__:
        assert getattr(hornbook, name) is not None
    assert hornbook.train.__module__ == "hornbook.training.train"
    assert dir(hornbook) == hornbook.__all__
    assert not hasattr(hornbook, "trian")
