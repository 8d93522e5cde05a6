"""What a trial tells: the same models asked in other ways must agree where they have to."""

import numpy as np
import pytest

from hornbook.dense_tokens.prove.arms import ARMS
from hornbook.dense_tokens.prove.learning import ProofSettings
from hornbook.dense_tokens.prove.tasks import WordProblem
from hornbook.dense_tokens.prove.trial import run_trial

TASK = WordProblem(3, 4, 6)
SHORT = ProofSettings(batch=8, look_every=3, validation=16, test=32, warmup=1)


def test_a_trial_of_dense_tokens() -> None:
    found = run_trial(TASK, ARMS["dense"], (0, 1), SHORT)
    assert found.course.steps == 6 and len(found.course.looks) == 2
    assert {depth: right.shape for depth, right in found.right.items()} == dict.fromkeys(range(1, 5), (2, 32))
    assert set(found.beyond) == {6, 8, 16} and set(found.ablated) == {"zero", "shuffle", "mean", "noise"}
    # As many rounds as vectors are the same as one by one, and a question of one step has no vector.
    assert found.rounds[3] == pytest.approx([float(found.right[depth].mean()) for depth in range(1, 5)])
    assert {row[0] for row in found.rounds.values()} == {float(found.right[1].mean())}
    assert len(found.decoded) == 3
    for row, question in enumerate(found.shown):
        words = [one["word"] for one in question]
        assert words[1::2] == ["⟨dense⟩"] * 3 + ["answer"] and len(words) == 8
        assert sum("read" in one for one in question) == 4
        assert (question[-1]["read"] == question[-1]["state"]) == found.right[4][0, row]


def test_other_arms_have_nothing_to_ablate() -> None:
    found = run_trial(TASK, ARMS["plain"], (0, 1), SHORT)
    assert not found.ablated and not found.rounds and not found.decoded
    assert found.right[1].dtype == np.bool_
