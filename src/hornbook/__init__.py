"""Hornbook pre-trains small language models from their first token.

The functions that the command line calls, under the same names: `hornbook.train("recipe.yaml")`. Each is imported when
it is first asked for, so that `import hornbook` takes no time.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hornbook.evaluation.evaluate import evaluate, evaluate_run
    from hornbook.evaluation.generate import generate
    from hornbook.evaluation.infill import infill
    from hornbook.evaluation.tasks import evaluate_tasks
    from hornbook.evaluation.unmask import unmask
    from hornbook.example import Example, show
    from hornbook.finetuning import finetune
    from hornbook.loading import load_model
    from hornbook.objectives.collator import collator
    from hornbook.training.callbacks import Callback, EarlyStopping
    from hornbook.training.train import train

__version__ = "0.1.0"

_PLACES = {
    "Callback": "hornbook.training.callbacks",
    "EarlyStopping": "hornbook.training.callbacks",
    "Example": "hornbook.example",
    "collator": "hornbook.objectives.collator",
    "evaluate": "hornbook.evaluation.evaluate",
    "evaluate_run": "hornbook.evaluation.evaluate",
    "evaluate_tasks": "hornbook.evaluation.tasks",
    "finetune": "hornbook.finetuning",
    "generate": "hornbook.evaluation.generate",
    "infill": "hornbook.evaluation.infill",
    "load_model": "hornbook.loading",
    "show": "hornbook.example",
    "train": "hornbook.training.train",
    "unmask": "hornbook.evaluation.unmask",
}

__all__ = [
    "Callback",
    "EarlyStopping",
    "Example",
    "__version__",
    "collator",
    "evaluate",
    "evaluate_run",
    "evaluate_tasks",
    "finetune",
    "generate",
    "infill",
    "load_model",
    "show",
    "train",
    "unmask",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'hornbook' has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return __all__
