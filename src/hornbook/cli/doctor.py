"""`hornbook doctor`: what doesn't fit together in a folder, why it matters, and how to mend it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from hornbook.cli.app import Json, Trust, app
from hornbook.cli.output import print_json
from hornbook.quiet import quieten_transformers


@app.command()
def doctor(
    model_folder: Annotated[
        Path, typer.Argument(help="Any Hugging Face folder: a model's, or a tokenizer's.")
    ],
    tokenizer_folder: Annotated[
        Path | None, typer.Argument(help="The tokenizer's folder, if it is another one.")
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
    from hornbook.contract import examine, mend
    from hornbook.errors import HornbookError

    quieten_transformers()
    sample = _read(text) if text else None
    if fix and trust:
        raise HornbookError("--fix mends folders of transformers' own classes: leave it out, or --trust")
    if fix is None:
        report = examine(model_folder, tokenizer_folder, objective, sample, trust)
    else:
        report = mend(fix, model_folder, tokenizer_folder, objective, sample)
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
        kinds = {"error": report.errors, "warning": report.warnings, "note": report.of("note")}
        counts = ", ".join(f"{len(found)} {kind}{'s' * (len(found) != 1)}" for kind, found in kinds.items())
        print(f"{counts} from {len(report.checked)} checks.")
    sys.exit(1 if report.errors else 0)


def _read(path: Path) -> str:
    from hornbook.errors import HornbookError

    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise HornbookError(f"{path}: can't be read as text ({error}): give a UTF-8 file") from error
