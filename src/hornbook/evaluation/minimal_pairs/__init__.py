"""Minimal pairs: of two sentences that differ in little, does the model find the better one likelier?"""

from hornbook.evaluation.minimal_pairs.measure import PairsResult, measure_pairs
from hornbook.evaluation.minimal_pairs.pair import MinimalPair, Paradigm
from hornbook.evaluation.minimal_pairs.reading import read_files, read_suite
from hornbook.evaluation.minimal_pairs.suites import SUITES, Suite

__all__ = [
    "SUITES",
    "MinimalPair",
    "PairsResult",
    "Paradigm",
    "Suite",
    "measure_pairs",
    "read_files",
    "read_suite",
]
