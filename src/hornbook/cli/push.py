"""`hornbook push`: a finished run to the Hugging Face Hub, with its card."""

from pathlib import Path
from typing import Annotated

import typer

from hornbook.cli.app import Json, app
from hornbook.cli.output import print_json


@app.command()
def push(
    run: Annotated[Path, typer.Argument(readable=False, help="A finished run's folder.")],
    name: Annotated[
        str, typer.Argument(help="OWNER/NAME of the repository, which is made if there is none.")
    ],
    private: Annotated[bool, typer.Option("--private", help="Make a repository that only you see.")] = False,
    dry: Annotated[bool, typer.Option("--dry-run", help="List the files, and upload nothing.")] = False,
    json: Json = False,
) -> None:
    """Upload a run: model, tokenizer, model card, recipe, figures. Log in first, with hf auth login."""
    from hornbook.push import push as upload

    files = upload(run, name, private=private, dry=dry)
    if json:
        print_json({"repository": name, "files": files, "uploaded": not dry})
    else:
        print(f"{name}: {'would upload' if dry else 'uploaded'} {len(files)} files: {', '.join(files)}")
