"""The verdict, on figures that no training gave."""

import numpy as np
import pytest

from hornbook.dense_tokens.verdict import judge


def figures(
    dense: float, pause: float, plain: float, same_steps: float = 3.0, seeds: int = 3
) -> dict[str, np.ndarray]:
    """Make up nats a word of 60 texts that differ much from each other, and little between arms."""
    rng = np.random.default_rng(0)
    texts = rng.normal(0, 1, 60)
    means = {"dense": dense, "pause": pause, "plain": plain, "plain, same steps": same_steps}
    return {arm: mean + texts + rng.normal(0, 0.02, (seeds, 60)) for arm, mean in means.items()}


@pytest.mark.parametrize(
    ("given", "verdict", "first"),
    [
        (figures(2.0, 2.1, 2.1), "help", "On this text dense tokens help: -0."),
        (figures(2.1, 2.0, 2.0), "hurt", "On this text dense tokens hurt: +0."),
        (figures(2.0, 2.1, 2.0), "don't help", "On this text dense tokens don't help: "),
        (figures(2.0, 2.0, 2.1), "don't help", "On this text dense tokens help no more than pause tokens: "),
    ],
)
def test_three_verdicts(given: dict[str, np.ndarray], verdict: str, first: str) -> None:
    found = judge(given, "this text", "nats a word")
    assert found["verdict"] == verdict and found["sentences"][0].startswith(first)
    gap = (given["dense"] - given["plain"]).mean()
    assert f"{gap:+.3f} nats a word against plain text at equal compute" in " ".join(found["sentences"])
    low, mean, high = (found["against"]["plain"][of] for of in ("low", "mean", "high"))
    assert mean == pytest.approx(gap) and low < mean < high
    assert high - low < 0.03  # paired: texts differ by far more
    assert f"95 % {low:+.3f} to {high:+.3f}" in " ".join(found["sentences"])


def test_compute_that_only_harms_is_no_argument() -> None:
    """Where more steps made plain text worse, dense tokens have to be better than the plain text before that."""
    found = judge(figures(2.0, 2.5, 2.4, same_steps=1.9), "this text", "nats a word")
    assert found["verdict"] == "hurt" and found["rival"] == "plain, same steps"
    assert "plain text with the same steps, which more steps made no better" in found["sentences"][0]


def test_one_seed_is_told() -> None:
    several, one = (judge(figures(2.0, 2.1, 2.1, seeds=seeds), "it", "nats")["sentences"] for seeds in (2, 1))
    assert len(several) == 2 and "There is one seed" in one[2]
