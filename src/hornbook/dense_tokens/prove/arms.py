"""The arms of the proof: dense tokens and their controls, with the same data in the same order, and the same seeds.

The deeper plain models have other parameters. They cost as much as all other arms together, so they run on the first
three seeds only.
"""

from dataclasses import dataclass, field
from typing import Literal

from hornbook.dense_tokens.options import Gradient


@dataclass(frozen=True)
class Arm:
    """A way to train."""

    name: str
    title: str
    told: str
    """What the arm controls for, for a reader of the page."""
    vectors: Literal["none", "own", "zero", "noise"]
    """The vectors of dense tokens; none leaves these tokens out of the sequences."""
    gradient: Gradient = field(default_factory=Gradient)
    layers: int = 1
    most_seeds: int | None = None
    """Run on the first so many seeds only; None is all of them."""
    same_compute: bool = False
    """Take more steps, so that as many places are computed as with dense tokens."""


ARMS = {
    arm.name: arm
    for arm in (
        Arm("dense", "Dense", "Each dense token carries the hidden vector before it.", "own"),
        Arm(
            "detached",
            "Dense, detached",
            "The same vectors, but no gradient goes through them: what the forward pass alone does.",
            "own",
            Gradient(crossings=0),
        ),
        Arm(
            "pause", "Pause", "The same tokens in the same places, without a vector: width, no depth.", "zero"
        ),
        Arm(
            "random",
            "Random vectors",
            "The same tokens with random vectors of the same length: is it the norm, or the noise?",
            "noise",
        ),
        Arm("plain", "Plain", "The words alone, for as many steps.", "none"),
        Arm(
            "plain-compute",
            "Plain, same compute",
            "The words alone, for as many more steps as cost the same.",
            "none",
            same_compute=True,
        ),
        Arm(
            "plain-2",
            "Plain, 2 layers",
            "The words alone, in a model of twice the layers.",
            "none",
            layers=2,
            most_seeds=3,
        ),
        Arm(
            "plain-4",
            "Plain, 4 layers",
            "The words alone, in a model of four times the layers.",
            "none",
            layers=4,
            most_seeds=3,
        ),
    )
}
