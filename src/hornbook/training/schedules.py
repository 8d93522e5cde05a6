"""How the learning rate changes: a function of the step alone, so there is no state to save."""

import math

from hornbook.recipe import Training


def learning_rate(training: Training, step: int) -> float:
    """Give the learning rate of a step, counted from 0.

    It rises in equal parts over the warmup, to the highest at its last step. From there linear and cosine fall, to
    reach `floor` of it after the last step, so that no step is taken at a rate of 0; inverse-square-root falls with
    1 / sqrt(step) (Raffel et al., 2020, section 3.1.2); constant stays.
    """
    warmup = training.warmup_steps
    if step < warmup:
        return training.learning_rate * (step + 1) / warmup
    done = (step - warmup) / (training.steps - warmup)
    if training.schedule == "linear":
        share = training.floor + (1 - training.floor) * (1 - done)
    elif training.schedule == "cosine":
        share = training.floor + (1 - training.floor) * (1 + math.cos(math.pi * done)) / 2
    elif training.schedule == "inverse-square-root":
        share = math.sqrt(max(warmup, 1) / max(step + 1, warmup, 1))
    else:
        share = 1.0
    return training.learning_rate * share
