from hypothesis import given
from hypothesis import strategies as st

from hornbook.corpora.split import is_heldout


@given(st.text(), st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True))
def test_a_larger_fraction_only_adds_documents(document, one, other):
    low, high = sorted((one, other))
    assert is_heldout(document, low) <= is_heldout(document, high)
    assert not is_heldout(document, 0.0)
    assert is_heldout(f"  {document}\n", high) == is_heldout(document, high)


def test_the_fraction_is_kept():
    held = sum(is_heldout(f"document {n}", 0.05) for n in range(20_000))
    assert abs(held - 1000) < 5 * (20_000 * 0.05 * 0.95) ** 0.5  # five standard deviations of a binomial
