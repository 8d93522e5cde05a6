"""`hornbook show`: one example, from its text to its loss."""

from pathlib import Path
from typing import Annotated

import typer

from hornbook.cli.app import Json, Settings, Trust, app
from hornbook.cli.output import print_json
from hornbook.console import make_reporter


@app.command()
def show(
    source: Annotated[
        Path, typer.Argument(readable=False, help="A recipe, a run's folder, or any model's folder.")
    ],
    text: Annotated[
        str | None, typer.Argument(help="A text; by default the first example of the recipe's first step.")
    ] = None,
    hide: Annotated[
        list[str] | None, typer.Option(help="Words of the text to hide; may be repeated.")
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page, too.")] = None,
    objective: Annotated[
        str | None, typer.Option(help="Another objective than the model's natural one.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="What is drawn for a text: another one, other words.")] = 0,
    settings: Settings = None,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Show one example: its tokens, what is hidden, what the model reads and predicts, and the loss as arithmetic."""
    from hornbook.cli.blocks import print_blocks
    from hornbook.example import show as make
    from hornbook.quiet import quieten_transformers
    from hornbook.threads import use_threads

    quieten_transformers()
    use_threads()
    report = make_reporter()
    example = make(
        source,
        text,
        hide or [],
        objective=objective,
        settings=settings or [],
        seed=seed,
        trust=trust,
        report=report,
    )
    if html:
        example.write_html(html)
    if json:
        print_json(example.facts())
        return
    print_blocks(example.blocks())
    if html:
        report.say(f"The page: {html}")
