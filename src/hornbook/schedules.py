"""How the learning rate changes: a function of the step alone, so there is no state to save.

A new schedule is one class and one entry point (`hornbook.schedules`), in this package or in any other.
"""

import math
from abc import ABC, abstractmethod
from typing import ClassVar, Protocol

from hornbook.registry import Registry


class ScheduleSettings(Protocol):
    """The part of a recipe's training section that a schedule may read."""

    @property
    def steps(self) -> int:
        """Number of steps of the whole training."""

    @property
    def warmup_steps(self) -> int:
        """Number of steps in which the rate rises."""

    @property
    def floor(self) -> float:
        """The share of the highest rate at which a falling schedule ends."""

    @property
    def learning_rate(self) -> float:
        """The highest learning rate."""

    @property
    def schedule(self) -> str:
        """A schedule's name."""


class Schedule(ABC):
    """How the learning rate changes after the warmup."""

    name: ClassVar[str]
    """Its name in a recipe."""

    @abstractmethod
    def share(self, step: int, settings: ScheduleSettings) -> float:
        """Give the rate at a step after the warmup, as a share of the highest rate; steps count from 0."""


class Linear(Schedule):
    """Falls linearly, and reaches the floor after the last step, so that no step has a rate of 0."""

    name = "linear"

    def share(self, step: int, settings: ScheduleSettings) -> float:
        """Fall in proportion to the steps done."""
        return settings.floor + (1 - settings.floor) * (1 - _done(step, settings))


class Cosine(Schedule):
    """Falls like half a cosine, and reaches the floor after the last step."""

    name = "cosine"

    def share(self, step: int, settings: ScheduleSettings) -> float:
        """Fall slowly, then fast, then slowly."""
        return settings.floor + (1 - settings.floor) * (1 + math.cos(math.pi * _done(step, settings))) / 2


class InverseSquareRoot(Schedule):
    """Falls with 1 / sqrt(step) (Raffel et al. 2020, arXiv:1910.10683, section 3.1.2)."""

    name = "inverse-square-root"

    def share(self, step: int, settings: ScheduleSettings) -> float:
        """Fall as in T5, independently of the number of steps."""
        warmup = max(settings.warmup_steps, 1)
        return math.sqrt(warmup / max(step + 1, warmup))


class Constant(Schedule):
    """Stays at the highest rate."""

    name = "constant"

    def share(self, step: int, settings: ScheduleSettings) -> float:
        """Give the highest rate."""
        return 1.0


def learning_rate(settings: ScheduleSettings, step: int) -> float:
    """Give the learning rate of a step, counted from 0.

    It rises in equal parts over the warmup, to the highest at its last step; from there the schedule decides.
    """
    if step < settings.warmup_steps:
        return settings.learning_rate * (step + 1) / settings.warmup_steps
    return settings.learning_rate * SCHEDULES[settings.schedule].share(step, settings)


def _done(step: int, settings: ScheduleSettings) -> float:
    return (step - settings.warmup_steps) / (settings.steps - settings.warmup_steps)


SCHEDULES: Registry[Schedule] = Registry.of("hornbook.schedules", "schedule", Schedule)
