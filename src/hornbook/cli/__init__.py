"""The command line: one command a file."""

import sys

from hornbook.cli import (  # noqa: F401
    compare,
    dense_add,
    dense_delete,
    dense_experiments,
    dense_generate,
    dense_prove,
    dense_questions,
    dense_select,
    dense_tasks,
    dense_train,
    dense_try,
    doctor,
    evaluate,
    families,
    families_describe,
    finetune,
    generate,
    infill,
    init,
    play,
    push,
    quickstart,
    recipes,
    show,
    study,
    tokenizer_import,
    tokenizer_inspect,
    tokenizer_reindex,
    tokenizer_train,
    train,
    unmask,
)
from hornbook.cli.app import app
from hornbook.disk import explain
from hornbook.errors import HornbookError, Interrupted, SharedError, gave_out
from hornbook.launch import is_first


def main() -> None:
    """Run the command line; an error that a user can mend is told on one line, with exit code 2."""
    try:
        app()
    except HornbookError as error:
        if not isinstance(error, SharedError) or is_first():
            print(f"hornbook: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        if (told := explain(error)) is None:
            raise
        print(f"hornbook: {told}", file=sys.stderr)
        sys.exit(2)
    except Interrupted as stop:
        print(f"hornbook: {stop}", file=sys.stderr)
        sys.exit(stop.exit_code)
    except BaseException as error:
        if (told := gave_out(error)) is None:
            raise
        print(f"hornbook: {told}", file=sys.stderr)
        sys.exit(2)
