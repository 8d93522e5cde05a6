"""`hornbook play`: type a text in a browser, and see what models make of it."""

from pathlib import Path
from typing import Annotated

import typer

from hornbook.cli.app import Trust, app


@app.command()
def play(
    runs: Annotated[
        list[Path],
        typer.Argument(
            readable=False, help="Runs, or model folders of a known family; several side by side."
        ),
    ],
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where the page is on this machine.")] = 7860,
    browser: Annotated[bool, typer.Option(help="Open it in a browser.")] = True,
    trust: Trust = False,
) -> None:
    """Open a playground: next-token probabilities, filled gaps, dense thoughts, attention; models side by side.

    It needs Gradio: pip install 'hornbook[play]'. Ctrl-C ends it.
    """
    from hornbook.playground.play import play as open_page

    page = open_page(runs, port, browser, trust)
    print(f"The playground: http://127.0.0.1:{port}  (Ctrl-C ends it)", flush=True)
    page.block_thread()
