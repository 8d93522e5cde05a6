"""What has to hold of every family and objective, as tests that any package can run over what it registers.

A test module of a package that adds the family `mamba` needs two lines, and pytest:

    from hornbook.testing import conformance
    test_mamba = conformance(families=["mamba"])

Nothing else of Hornbook needs pytest, and here only `conformance` does: `pip install hornbook[test]`. All material is
made on the spot: a corpus of short stories, a tokenizer, and a model from the family's own `tiny`. A check that doesn't
hold raises an AssertionError whose one sentence names the family, the objective, and both values.
"""

from hornbook.testing.case import Case, cases
from hornbook.testing.losses import CLASS_LOSSES, ClassLoss
from hornbook.testing.stories import make_stories
from hornbook.testing.suite import CHECKS, FAMILY_CHECKS, conformance
from hornbook.testing.twins import TWINS

__all__ = [
    "CHECKS",
    "FAMILY_CHECKS",
    "TWINS",
    "Case",
    "cases",
    "CLASS_LOSSES",
    "ClassLoss",
    "conformance",
    "make_stories",
]
