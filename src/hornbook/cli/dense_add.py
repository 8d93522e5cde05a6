"""`hornbook dense add`: give any causal model a dense token."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from hornbook.atomic import check_new
from hornbook.cli.app import Json
from hornbook.cli.dense import dense
from hornbook.cli.output import print_json
from hornbook.quiet import quieten_transformers


@dense.command()
def add(
    model: Annotated[Path, typer.Argument(help="A causal model's folder, such as a Pythia's.")],
    out: Annotated[Path, typer.Argument(help="Where the model with the token goes.")],
    vector: Annotated[
        Literal["rms", "raw", "soft"], typer.Option(help="The vector that it carries; see DenseOptions.")
    ] = "rms",
    share_positions: Annotated[bool, typer.Option(help="Give it the position of the word before it.")] = True,
    json: Json = False,
) -> None:
    """Add <|dense|> to a causal model; AutoModelForCausalLM can still open the folder."""
    from hornbook.dense.folder import save_dense, wrap_folder
    from hornbook.dense.options import DenseOptions

    quieten_transformers()
    check_new(out)
    wrapped, tokenizer = wrap_folder(model, DenseOptions(vector=vector, share_positions=share_positions))
    save_dense(wrapped, tokenizer, out)
    rows = wrapped.model.get_input_embeddings().weight.shape[0]
    facts = {"model": str(out), "token": wrapped.options.token, "id": wrapped.dense_id, "rows": rows}
    if json:
        print_json(facts)
    else:
        print(f"{out}: {facts['token']} is id {facts['id']:,} of {rows:,} rows")
