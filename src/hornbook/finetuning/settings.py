"""How a model is fine-tuned: the published settings, and which of them a task changes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FinetuneSettings:
    """What a fine-tuning does, as `scripts/eval_finetuning.sh` and `finetune/run.py` of BabyLM's pipeline of 2025 do.

    (github.com/babylm/evaluation-pipeline-2025.) One thing differs: Hornbook chooses the best epoch on a part of the
    training texts, and the pipeline on the texts that it reports.
    """

    epochs: int = 10
    """WSC has 30."""
    batch: int = 32
    """BoolQ and MultiRC have 16."""
    learning_rate: float = 3e-5
    """At its highest, after the warmup."""
    warmup: float = 0.06
    """Share of the steps in which the learning rate rises."""
    floor: float = 0.1
    """The share of the learning rate at which the cosine ends."""
    weight_decay: float = 0.01
    length: int = 512
    """Tokens that are read at most, or as many as the model takes."""
    patience: int | None = None
    """It stops after this many epochs without a better one; None does all epochs. The best one is kept either way."""
    validation: float = 0.1
    """Share of the training texts on which the best epoch is chosen, and that train nothing."""
