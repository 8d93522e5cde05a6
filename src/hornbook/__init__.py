"""Hornbook pre-trains small language models from their first token.

The functions that the command line calls, under the same names: `hornbook.train("recipe.yaml")`. Each is imported when
it is first asked for, so that `import hornbook` takes no time.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hornbook import dense, tokenizer
    from hornbook.contract.ask import doctor
    from hornbook.errors import HornbookError, Interrupted
    from hornbook.evaluation.asked import evaluate
    from hornbook.evaluation.evaluate import evaluate_run
    from hornbook.evaluation.generate import generate
    from hornbook.evaluation.infill import infill
    from hornbook.evaluation.tasks import evaluate_tasks
    from hornbook.evaluation.unmask import unmask
    from hornbook.example import Example, show
    from hornbook.finetuning import finetune
    from hornbook.loading import load, load_model
    from hornbook.objectives.make_collator import collator
    from hornbook.playground.play import play
    from hornbook.report.compare import compare
    from hornbook.run import Run
    from hornbook.studies.ask import study
    from hornbook.training.callbacks import Callback, EarlyStopping
    from hornbook.training.train import init, train

__version__ = "0.1.0"

_PLACES = {
    "Callback": "hornbook.training.callbacks",
    "EarlyStopping": "hornbook.training.callbacks",
    "Example": "hornbook.example",
    "HornbookError": "hornbook.errors",
    "Interrupted": "hornbook.errors",
    "Run": "hornbook.run",
    "collator": "hornbook.objectives.make_collator",
    "compare": "hornbook.report.compare",
    "doctor": "hornbook.contract.ask",
    "evaluate": "hornbook.evaluation.asked",
    "evaluate_run": "hornbook.evaluation.evaluate",
    "evaluate_tasks": "hornbook.evaluation.tasks",
    "finetune": "hornbook.finetuning",
    "generate": "hornbook.evaluation.generate",
    "infill": "hornbook.evaluation.infill",
    "init": "hornbook.training.train",
    "load": "hornbook.loading",
    "load_model": "hornbook.loading",
    "play": "hornbook.playground.play",
    "show": "hornbook.example",
    "study": "hornbook.studies.ask",
    "train": "hornbook.training.train",
    "unmask": "hornbook.evaluation.unmask",
}
_ROOMS = ("dense", "tokenizer")
"""What is a group of commands on the command line is a module here."""

__all__ = [
    "Callback",
    "EarlyStopping",
    "Example",
    "HornbookError",
    "Interrupted",
    "Run",
    "__version__",
    "collator",
    "compare",
    "dense",
    "doctor",
    "evaluate",
    "evaluate_run",
    "evaluate_tasks",
    "finetune",
    "generate",
    "infill",
    "init",
    "load",
    "load_model",
    "play",
    "show",
    "study",
    "tokenizer",
    "train",
    "unmask",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"hornbook.{name}")
    if name not in _PLACES:
        raise AttributeError(f"module 'hornbook' has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return __all__
