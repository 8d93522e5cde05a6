"""What labels and predictions come to, in per cent."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]


def accuracy(predicted: Values, labels: Values) -> float:
    """Compute the share of right labels."""
    return 100 * float((predicted == labels).mean())


def f1(predicted: Values, labels: Values, positive: float = 1) -> float:
    """Compute the harmonic mean of precision and recall of label 1 (van Rijsbergen, 1979); 0 where it never occurs."""
    both = float(((predicted == positive) & (labels == positive)).sum())
    total = float((predicted == positive).sum() + (labels == positive).sum())
    return 100 * 2 * both / total if total else 0.0


def macro_f1(predicted: Values, labels: Values) -> float:
    """Average the F1 of each label that occurs."""
    return float(np.mean([f1(predicted, labels, label) for label in np.union1d(predicted, labels)]))


def matthews(predicted: Values, labels: Values) -> float:
    """Compute Matthews' correlation, for any number of labels (Gorodkin, 2004); 0 where either is always the same."""
    known = np.union1d(predicted, labels)
    one, other = (values[:, None] == known for values in (predicted, labels))
    covariance = _covariance(one, other)
    spread = _covariance(one, one) * _covariance(other, other)
    return 100 * float(covariance / np.sqrt(spread)) if spread > 0 else 0.0


def _covariance(one: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]) -> float:
    return float((one & other).mean(0).sum() - (one.mean(0) * other.mean(0)).sum())


def pearson(predicted: Values, labels: Values) -> float:
    """Compute Pearson's correlation; 0 where either is always the same."""
    if np.ptp(predicted) == 0 or np.ptp(labels) == 0:
        return 0.0
    return 100 * float(np.corrcoef(predicted, labels)[0, 1])


def spearman(predicted: Values, labels: Values) -> float:
    """Compute Spearman's correlation: Pearson's of the ranks, equals sharing their mean rank."""
    return pearson(_ranks(predicted), _ranks(labels))


def _ranks(values: Values) -> Values:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (counts.cumsum() - (counts - 1) / 2)[inverse]


Metric = Callable[[Values, Values], float]
METRICS: dict[str, Metric] = {
    "accuracy": accuracy,
    "F1": f1,
    "macro F1": macro_f1,
    "Matthews": matthews,
    "Pearson": pearson,
    "Spearman": spearman,
}


def interval(
    metric: Metric, predicted: npt.NDArray[np.float64], labels: Values, times: int = 1000
) -> tuple[float, float]:
    """Compute the middle 95 % of a metric's mean over seeds, with predictions (seeds, texts).

    Seeds and texts are drawn with replacement, both at once (Owen, "The pigeonhole bootstrap", 2007); the same on every
    call.
    """
    rng = np.random.default_rng(0)
    seeds, texts = predicted.shape
    found = []
    for _ in range(times):
        chosen = rng.integers(0, texts, texts)
        drawn, counts = np.unique(rng.integers(0, seeds, seeds), return_counts=True)
        means = [metric(predicted[seed, chosen], labels[chosen]) for seed in drawn]
        found.append(np.average(means, weights=counts))
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)
