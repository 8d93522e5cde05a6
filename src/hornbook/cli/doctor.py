"""`hornbook doctor`: what doesn't fit together in a folder, why it matters, and how to mend it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from hornbook.cli.app import Json, Trust, app
from hornbook.cli.output import print_json


@app.command()
def doctor(
    model: Annotated[
        Path, typer.Argument(readable=False, help="Any Hugging Face folder: a model's, or a tokenizer's.")
    ],
    tokenizer: Annotated[
        Path | None, typer.Argument(readable=False, help="The tokenizer's folder, if it is another one.")
    ] = None,
    objective: Annotated[
        str | None,
        typer.Option(help="The objective to train it with; by default, the usual one for its head."),
    ] = None,
    text: Annotated[Path | None, typer.Option(help="Text that it is to be trained on, to look at.")] = None,
    trust: Trust = False,
    json: Json = False,
    fix: Annotated[
        Path | None, typer.Option(metavar="OUT", help="Write a mended copy to this new folder.")
    ] = None,
) -> None:
    """Find what doesn't fit between tokenizer, model and objective. The exit code is 1 if there is an error.

    Nothing in the folders is unpickled, nor run without --trust, and nothing there is changed. With --fix, the report
    printed is the mended copy's.
    """
    from hornbook.contract.ask import doctor as ask

    report = ask(model, tokenizer, objective, _read(text) if text else None, trust, fix)
    if json:
        print_json(report.facts())
    else:
        if fix is not None:
            print(f"The mended copy: {fix}\n")
        for problem in report.problems:
            hand = " (--fix can do it)" if problem.fixable else ""
            print(f"{problem.severity} {problem.id}: {problem.found}")
            print(f"  Why it matters: {problem.why}")
            print(f"  What to do: {problem.fix}{hand}\n")
        print(report.counts())
    sys.exit(1 if report.errors else 0)


def _read(path: Path) -> str:
    from hornbook.errors import HornbookError

    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise HornbookError(f"{path}: can't be read as text ({error}): give a UTF-8 file") from error
