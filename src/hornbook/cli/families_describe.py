"""`hornbook families describe`: what a preset is made of, and what a token costs."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hornbook.cli.app import Json
from hornbook.cli.families import families
from hornbook.cli.output import print_json, print_prose, print_table

if TYPE_CHECKING:
    from hornbook.families.description import Cost, Description


@families.command()
def describe(
    preset: Annotated[str, typer.Argument(help="A name that `hornbook families` lists.")],
    vocab_size: Annotated[
        int | None, typer.Option(min=1, help="Entries of the vocabulary; by default, as published.")
    ] = None,
    length: Annotated[
        int | None, typer.Option(min=1, help="Tokens in a sequence; by default, as published.")
    ] = None,
    json: Json = False,
) -> None:
    """Show a preset's layers, where its values come from, what a token costs, and which objectives can train it."""
    from dataclasses import asdict

    from hornbook.presets import describe

    description = describe(preset, vocab_size, length)
    if json:
        print_json(asdict(description) | {"costs": [_cost(cost) for cost in description.costs]})
    else:
        _print(description)
        told = [f"{name}: {lesson}" for name, lesson in (description.objectives or {}).items()]
        print_prose("\nThe objectives that can train it:\n", *told)


def _cost(cost: "Cost") -> dict[str, Any]:
    names = ("token", "layers", "attention", "head", "forward")
    return {name: getattr(cost, name) for name in names} | {"forward and backward": cost.training}


def _print(description: "Description") -> None:
    from rich.console import Console

    from hornbook.families.layer_table import layer_table

    print_prose(
        f"{description.preset}: {description.model} for a vocabulary of {description.vocab_size:,} and "
        f"sequences of {description.length:,} tokens\n"
    )
    print("\n".join(layer_table(description.layers, Console().width)))
    print(f"\nParameters, shared and tied ones counted once: {description.parameters:,}")
    if description.published_parameters is not None:
        print(f"Published, for {description.published_for}: {description.published_parameters:,}")
    print()
    shown = {one.key: "–" if one.value is None else str(one.value) for one in description.values}
    print_table([{"value": one.key, "is": shown[one.key], "from": one.origin} for one in description.values])
    own, *others = description.positions
    print(f"\nPositions: {own}" + (f" (model.positions can also be {', '.join(others)})" if others else ""))
    if unused := description.unused_positions:
        rows = ", ".join(map(str, unused))
        print(f"\nRows of the position table that no token takes, for {description.length:,} tokens: {rows}")
    print("\nFloating-point operations for one token, in a sequence of full length:\n")
    print_table([_cost(cost) for cost in description.costs])
    print_prose(
        "\nforward = 2 × numbers in the matrices that a token passes + 4 × width of the attentions × length; backward "
        "is twice that (PaLM, arXiv:2204.02311, appendix B). Causal and local attention count in full, and the head "
        "counts at every place."
    )
