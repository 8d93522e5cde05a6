"""`hornbook tokenizer inspect`: what a tokenizer is, or two of them side by side."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hornbook.cli.app import Json
from hornbook.cli.output import print_json, print_table
from hornbook.cli.tokenizer import tokenizer

if TYPE_CHECKING:
    from hornbook.tokenizers.inspection import Inspection

_SHOWN = 10


@tokenizer.command()
def inspect(
    folder: Annotated[Path, typer.Argument(readable=False, help="A tokenizer's folder.")],
    other: Annotated[
        Path | None, typer.Argument(readable=False, help="Another one, to compare with.")
    ] = None,
    text: Annotated[list[str] | None, typer.Option(help="Text files to measure them on.")] = None,
    sentence: Annotated[str | None, typer.Option(help="A sentence to split.")] = None,
    json: Json = False,
) -> None:
    """Show a tokenizer's roles and ids, size, longest and unreachable tokens, its splits, and its training."""
    from hornbook.tokenizer import inspect as look
    from hornbook.tokenizers.record import describe_record

    found = look(folder, other, [Path(one) for one in text] if text else None, sentence)
    if json:
        print_json({name: _facts(one) for name, one in found.items()})
        return
    roles = dict.fromkeys(role for one in found.values() for role in one.roles)
    rows = {name: _row(one, list(roles)) | describe_record(one.training) for name, one in found.items()}
    print_table([{"folder": name} | row for name, row in rows.items()], across=True)


def _facts(one: "Inspection") -> dict[str, Any]:
    facts = asdict(one)
    if one.measured:
        facts["measured"] |= {
            "bytes_per_token": one.measured.bytes_per_token,
            "unknown_rate": one.measured.unknown_rate,
        }
    return facts


def _row(one: "Inspection", roles: list[str]) -> dict[str, Any]:
    """Put one tokenizer in words, for its column of the table."""
    row: dict[str, Any] = {"kind": one.kind, "entries": one.entries}
    for role in roles:
        row[role.removesuffix("_token")] = "{} at {}".format(*one.roles[role]) if role in one.roles else None
    row |= {"template": one.template, "length": one.length}
    if one.measured:
        row |= {
            "bytes per token": one.measured.bytes_per_token,
            "tokens of the text": one.measured.tokens,
            "unknown": f"{one.measured.unknown_rate:.3%}",
            "entries used": one.measured.used,
        }
    if one.unreachable is not None:
        more = " ..." if len(one.unreachable) > _SHOWN else ""
        row["unreachable"] = f"{len(one.unreachable):,}  {' '.join(one.unreachable[:_SHOWN])}{more}".strip()
    return row | {
        "longest": " ".join(map(repr, one.longest)),
        "the sentence": f"{len(one.split)}: {' '.join(map('{}={}'.format, one.split, one.ids))}",
    }
