"""Fine-tuning on labelled texts: GLUE, SuperGLUE, and tables of one's own."""

from hornbook.finetuning.finetune import finetune
from hornbook.finetuning.settings import FinetuneSettings
from hornbook.finetuning.tasks import TASKS, LabelledTask

__all__ = ["TASKS", "LabelledTask", "FinetuneSettings", "finetune"]
