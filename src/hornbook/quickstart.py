"""The quickstart: three small models of three families, trained in minutes, asked what they learned, on one page."""

import json
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from hornbook.evaluation.samples import sample
from hornbook.evaluation.unmask import unmask
from hornbook.loading import LoadedModel
from hornbook.recipe import make_recipe, read_shipped
from hornbook.report.asked import AskedQuestion, Longer
from hornbook.report.page import write_page
from hornbook.report.runs import Sample, read_run
from hornbook.reporter import Reporter
from hornbook.run import Run
from hornbook.training.train import train

RECIPES = ("quickstart/bert", "quickstart/gpt-neo", "quickstart/t5")

QUESTIONS = {
    "The function returns a list <mask> names.": ("of",),
    "This method must <mask> called before the file is closed.": ("be",),
    "The argument can be a string <mask> a number.": ("or",),
    "If no name is given, the <mask> value is used.": ("default",),
    "When the file does not <mask>, an error is raised.": ("exist",),
    "A ValueError is <mask> if the number is too large.": ("raised",),
    "It works in the same <mask> as the other function.": ("way",),
    "Return <mask> if both lists have the same length.": ("True",),
    "The first <mask> is the name of the file to open.": ("argument", "parameter"),
    "Read the text <mask> the file and close it.": ("from", "of", "in"),
}
"""What the BERT is asked, and the words that are right. They were written down before any model was asked, by hand, and
stay as they are; the corpus holds none of the sentences, which a test sees to."""

BEGINNINGS = ("The function returns", "If the file does not exist,", "This class", "A string is")
"""What the GPT-Neo continues."""

BLANKS = (
    "The function <mask> a list.",
    "If the file does not <mask>, an error is raised.",
    "Return True if <mask> is a string.",
    "This method is called <mask> the file is closed.",
)
"""What the T5 fills in."""


@dataclass(frozen=True)
class Quickstart:
    """What came of it."""

    runs: tuple[Run, ...]
    asked: tuple[AskedQuestion, ...]
    """What the BERT answered."""
    samples: tuple[tuple[Sample, ...], ...]
    """What each run wrote, those of the questions first."""
    page: Path

    def facts(self) -> dict[str, Any]:
        """All of it as plain values: the questions, and of each model its losses, its time and what it wrote."""
        return {
            "runs": [str(run.folder) for run in self.runs],
            "page": str(self.page),
            "asked": [asdict(one) | {"right": one.right} for one in self.asked],
            "models": [_facts(*one) for one in zip(self.runs, self.samples, strict=True)],
        }


def _facts(run: Run, samples: tuple[Sample, ...]) -> dict[str, Any]:
    record = run.record
    loss = next(one for one in record.measures if one.baseline)
    return {
        "name": record.name,
        "steps": record.steps,
        "seconds": record.last.seconds if record.last else 0.0,
        "loss": loss.value,
        "word_frequencies": loss.baseline,
        "wrote": [asdict(one) for one in samples],
    }


def quickstart(out: Path, report: Reporter, **training: Any) -> Quickstart:
    """Train the three models into folders of `out`, ask them, and write the page that shows it.

    `training` changes values of each recipe's training, for a shorter or a longer one.
    """
    runs = []
    for name in RECIPES:
        given = read_shipped(name)
        more = {"out": str(out / given["name"]), "cache": str(out / "cache")}
        changed = given | more | {"training": given["training"] | training}
        runs.append(train(make_recipe(changed, source=name), report=report))
    masked, causal, text_to_text = runs
    asked = ask(masked.loaded)
    samples = (
        masked.samples,
        _samples(causal, BEGINNINGS, "generate"),
        _samples(text_to_text, BLANKS, "infill"),
    )
    records = [replace(read_run(run.folder), samples=told) for run, told in zip(runs, samples, strict=True)]
    page = write_page(records, out / "quickstart.html", "Hornbook quickstart", asked=asked, longer=longer())
    return Quickstart(tuple(runs), asked, samples, page)


def ask(model: LoadedModel) -> tuple[AskedQuestion, ...]:
    """Ask a masked model the ten questions."""
    answers = {question: unmask(model, question, 1)[0].candidates[0] for question in QUESTIONS}
    return tuple(
        AskedQuestion(question, wanted, answers[question].token, answers[question].probability)
        for question, wanted in QUESTIONS.items()
    )


def longer() -> Longer | None:
    """Give the curve of a longer run of the same BERT, as `keep_longer` wrote it; None until one was measured."""
    path = Path(__file__).with_suffix(".json")
    return Longer(**json.loads(path.read_text("utf-8"))) if path.exists() else None


def _samples(run: Run, prompts: tuple[str, ...], writes: Any) -> tuple[Sample, ...]:
    own = tuple(Sample(**sample(run.loaded, prompt, writes)) for prompt in prompts)
    return own + run.samples


def keep_longer(folder: Path) -> None:
    """Keep the curve of a longer run, and how many questions it answers rightly, for the quickstart's page.

    `hornbook train quickstart/bert --set name=longer --set training.steps=9000` makes such a run, and
    `python -m hornbook.quickstart runs/longer` calls this.
    """
    run = Run(folder)
    record, asked = run.record, ask(run.loaded)
    facts = Longer(
        name=f"{record.steps:,} steps",
        objective=record.objective,
        corpus=record.corpus.name,
        machine=f"{record.machine['threads']} threads of {record.machine['processor']}",
        right=sum(one.right for one in asked),
        step=[point.step for point in record.evaluate],
        tokens=[point.tokens for point in record.evaluate],
        seconds=[round(point.seconds, 1) for point in record.evaluate],
        value=[round(point.loss, 4) for point in record.evaluate],
    )
    Path(__file__).with_suffix(".json").write_text(json.dumps(asdict(facts)) + "\n", "utf-8")


if __name__ == "__main__":
    keep_longer(Path(sys.argv[1]))
