"""`hornbook quickstart`: the main job on the embedded corpus, with three families side by side."""

from pathlib import Path
from typing import Annotated

import typer

from hornbook.cli.app import Json, app
from hornbook.cli.output import print_json
from hornbook.console import make_reporter


@app.command()
def quickstart(
    out: Annotated[Path, typer.Option(help="Where the runs and the page go.")] = Path("runs"),
    json: Json = False,
) -> None:
    """Train a BERT, a GPT-Neo and a T5 on the manuals that every Python carries, ask them, and show it on a page."""
    from hornbook.quickstart import quickstart as begin

    report = make_reporter()
    done = begin(out, report)
    masked, causal, text_to_text = (run.folder for run in done.runs)
    if json:
        print_json(done.facts())
        return
    right = sum(one.right for one in done.asked)
    report.say(f"\n{masked.name}, asked by hand: {right} of {len(done.asked)} first guesses are right")
    for one in done.asked:
        mark = "right" if one.right else f"wrong: {' or '.join(one.wanted)}"
        report.say(f"  {one.question.replace('<mask>', f'[{one.came}]')}  ({mark})")
    for run, samples in zip(done.runs[1:], done.samples[1:], strict=True):
        report.say(f"\n{run.folder.name} writes:")
        for sample in samples[:4]:
            report.say(f"  {' '.join(sample.output.split())}")
    report.say(
        "\nHeld-out loss, and the least that knowing word frequencies alone can reach, in nats a label:"
    )
    for run in done.runs:
        loss = next(one for one in run.record.measures if one.baseline)
        report.say(f"  {run.folder.name}: {loss.value:.2f}; word frequencies {loss.baseline:.2f}")
    report.say(
        "\nTry them:\n"
        f'  hornbook unmask {masked} "The function returns a <mask>."\n'
        f'  hornbook generate {causal} "The function returns"\n'
        f'  hornbook infill {text_to_text} "The function <mask> a list."\n'
        f"\nThe page that compares them: {done.page.resolve()}"
    )
