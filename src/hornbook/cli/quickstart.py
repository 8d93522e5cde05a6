"""`hornbook quickstart`: the main job on the embedded corpus, with three families side by side."""

from json import loads
from pathlib import Path
from typing import Annotated

import typer

from hornbook.cli.app import Json, app
from hornbook.cli.output import print_json
from hornbook.console import make_reporter

RECIPES = ("manuals-bert", "manuals-gpt-neo", "manuals-t5")

TOKENIZER = {"kind": "bpe", "style": "shared", "vocab_size": 4096, "sentinels": 32}
"""One tokenizer for all three, so that they see the same tokens."""


@app.command()
def quickstart(
    out: Annotated[Path, typer.Option(help="Where the runs and the page go.")] = Path("runs"),
    json: Json = False,
) -> None:
    """Train a BERT, a GPT-Neo and a T5 on the manuals that every Python carries, and compare them on a page."""
    from hornbook.recipe import make_recipe, read_shipped
    from hornbook.report import read_run, write_page
    from hornbook.training.train import train

    report = make_reporter()
    folders = []
    for name in RECIPES:
        title = name.replace("manuals", "quickstart")
        given = read_shipped(name) | {
            "name": title,
            "out": str(out / title),
            "cache": str(out / "cache"),
            "tokenizer": TOKENIZER,
        }
        folders.append(train(make_recipe(given, source=name), report=report).folder)
    page = write_page(
        [read_run(folder) for folder in folders], out / "quickstart.html", "Hornbook quickstart"
    )
    if json:
        print_json({"runs": [str(folder) for folder in folders], "page": str(page)})
    else:
        masked, causal, text_to_text = folders
        report.say("\nWhat they write about text that they haven't seen:")
        for folder in folders:
            sample = loads((folder / "evaluation.json").read_text("utf-8"))["samples"][0]
            report.say(f"  {folder.name}, {sample['kind']}: {sample['output'].strip()}")
        report.say(
            "\nTry them:\n"
            f'  hornbook unmask {masked} "The function returns a <mask>."\n'
            f'  hornbook generate {causal} "The function returns"\n'
            f'  hornbook infill {text_to_text} "The function <mask> a list."\n'
            f"\nThe page that compares them: {page.resolve()}"
        )
