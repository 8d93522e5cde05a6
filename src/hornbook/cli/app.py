"""The command line's root, to which each command adds itself."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hornbook import __version__
from hornbook.launch import refuse_several
from hornbook.quiet import quieten_transformers

if TYPE_CHECKING:
    from hornbook.loading import LoadedModel

app = typer.Typer(
    name="hornbook",
    help="Pre-train small language models from their first token.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(asked: bool) -> None:
    if asked:
        print(f"hornbook {__version__}")
        raise typer.Exit


@app.callback()
def check_launch(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the release.")
    ] = False,
) -> None:
    """Refuse several processes for a command that uses only one."""
    if context.invoked_subcommand not in (None, "train"):
        refuse_several(context.invoked_subcommand)


Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="A.B=C", help="Change one value of the recipe; may be repeated."),
]

# What may not be read is told in `hornbook.disk`, with the way on: `readable` would be typer's own check, without one.
Model = Annotated[
    Path, typer.Argument(readable=False, help="A run's folder, or any model folder of a known family.")
]
More = Annotated[list[str] | None, typer.Argument(hidden=True)]
"""What follows the last option's value: click gives an option one value, and people write `--task blimp ewok`."""

Trust = Annotated[
    bool,
    typer.Option(
        "--trust",
        help="Let code run that lies in the model's folder, or that the recipe names: a class of one's own needs it.",
    ),
]


def open_quietly(folder: Path, trust: bool = False) -> "LoadedModel":
    """Open a model, and say so where it isn't a finished one."""
    from hornbook.loading import load_model
    from hornbook.threads import use_threads

    quieten_transformers()
    use_threads()
    loaded = load_model(folder, trust)
    if loaded.remark:
        print(f"hornbook: {loaded.remark}", file=sys.stderr)
    return loaded
