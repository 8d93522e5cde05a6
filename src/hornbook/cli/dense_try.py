"""`hornbook dense try`: do dense tokens help on a model and a text of one's own?"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from hornbook.cli.app import Json, Settings
from hornbook.cli.dense import dense
from hornbook.cli.output import print_json, print_prose, print_table
from hornbook.console import make_reporter


@dense.command("try")
def try_(
    model: Annotated[Path, typer.Argument(help="A causal model's folder, with a dense token or without.")],
    text: Annotated[
        str, typer.Argument(help="A file of text, or a glob; with --questions, a file of questions.")
    ],
    out: Annotated[Path, typer.Option(help="Where the trainings and the page go.")] = Path("runs/dense-try"),
    heldout: Annotated[
        str | None, typer.Option(help="Held-out text; by default some of the documents.")
    ] = None,
    questions: Annotated[
        bool, typer.Option("--questions", help='Each line of the text has a "question" and an "answer".')
    ] = False,
    documents: Annotated[
        Literal["file", "blank-line", "line", "separator"], typer.Option(help="Where documents end.")
    ] = "blank-line",
    windows: Annotated[int, typer.Option(min=1, help="Texts at most.")] = 4096,
    heldout_windows: Annotated[int, typer.Option(min=2, help="Held-out texts at most.")] = 256,
    length: Annotated[int, typer.Option(min=2, help="Tokens in each.")] = 64,
    special_tokens: Annotated[
        Literal["text", "special"], typer.Option(help="What a written-out </s> is in the text.")
    ] = "text",
    count: Annotated[
        int | None, typer.Option(min=0, help="Dense tokens in each: 4, or 0 if the text has its own.")
    ] = None,
    rounds: Annotated[
        int | None,
        typer.Option(min=-1, help="Rounds of filling: 1, or -1, one by one, which is usual for questions."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each kind.")] = 3,
    recipe: Annotated[
        Path | None, typer.Option(help="A recipe, of which the section training is read.")
    ] = None,
    settings: Settings = None,
    json: Json = False,
) -> None:
    """Train a model with dense tokens, with pause tokens and on plain text, at equal compute, and write what helps.

    Steps, batch and learning rate are those of a recipe's training section (--set training.steps=400). What was cut
    off goes on where the same command is given again, and a larger --seeds adds trainings.
    """
    from hornbook.dense import try_out

    report = make_reporter()
    cut = (documents, windows, heldout_windows, length, special_tokens, count)
    learned = (rounds, seeds, recipe, settings or [])
    found = try_out(model, text, out, heldout, questions, *cut, *learned, report=report)
    if json:
        print_json(found)
        return
    print_table(
        [
            {"arm": arm, "steps": of["steps"], found["unit"]: f"{of['nats']['mean']:.4f}"}
            for arm, of in found["arms"].items()
        ]
    )
    report.say(f"The page: {Path(found['page']).resolve()}")
    verdict, *others = found["sentences"]
    print_prose(*others, verdict)
