"""The command line's root, to which each command adds itself."""

import json
from typing import Annotated, Any

import typer

app = typer.Typer(
    name="hornbook",
    help="Pre-train small language models from their first token.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="A.B=C", help="Change one value of the recipe; may be repeated.")
]


def print_json(facts: Any) -> None:
    """Print a result for programs: JSON on stdout, alone there, since everything for people goes to stderr."""
    print(json.dumps(facts, indent=2, ensure_ascii=False))
