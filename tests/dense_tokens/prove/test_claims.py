"""Each claim is counted seed by seed."""

import numpy as np

from hornbook.dense_tokens.prove.claims import claims
from hornbook.dense_tokens.prove.learning import Course
from hornbook.dense_tokens.prove.trial import Trial


def trial(arm: str, *shares: float, **ablated: tuple[float, ...]) -> Trial:
    """Make up an arm whose seeds answer these shares of 100 questions."""
    answers = lambda shares: np.array([np.arange(100) < 100 * share for share in shares])  # noqa: E731
    kept = {kind: answers(one) for kind, one in ablated.items()}
    return Trial(arm, 1, Course(1, 1, 1.0, []), {4: answers(shares)}, {}, ablated=kept)


def test_a_claim_names_the_seeds_it_was_tried_on_and_those_it_held_on() -> None:
    trials = {
        "dense": trial("dense", 1.0, 0.98, 0.99, zero=(0.2, 0.3, 0.22), noise=(0.1, 0.1, 0.1)),
        "detached": trial("detached", 1.0, 1.0, 1.0),  # it has vectors too, and is no control
        "pause": trial("pause", 0.2, 0.99, 0.2),
        "plain-2": trial("plain-2", 1.0, 0.5),  # its own seeds are fewer
    }
    found = {one["claim"]: (one["tried_on"], one["held_on"]) for one in claims(trials, 4, 0.25, (7, 8, 9))}
    assert found == {
        "dense tokens answer 99 % and more": ([7, 8, 9], [7, 9]),
        "ahead of Pause": ([7, 8, 9], [7, 9]),
        "ahead of Plain, 2 layers": ([7, 8], [8]),
        "with zero vectors they answer nothing": ([7, 8, 9], [7, 9]),
        "with noise for vectors they answer nothing": ([7, 8, 9], [7, 8, 9]),
    }
