"""The committed page is what the checks say, and the catalogue is complete."""

from pathlib import Path

from hornbook.contract import CHECKS
from hornbook.contract.catalogue import ELSEWHERE, catalogue

PAGE = Path(__file__).resolve().parents[2] / "docs" / "checks.md"


def test_the_page_is_the_checks() -> None:
    assert PAGE.read_text("utf-8") == catalogue(), (
        "run: python -m hornbook.contract.catalogue > docs/checks.md"
    )


def test_nothing_of_the_catalogue_is_left_out() -> None:
    wanted = {f"C{number:02}" for number in range(1, 65)}
    assert wanted <= CHECKS.keys() | ELSEWHERE.keys()
    assert not CHECKS.keys() & ELSEWHERE.keys()


def test_checks_are_well_formed() -> None:
    assert list(CHECKS) == sorted(CHECKS)
    for one in CHECKS.values():
        assert one.needs and set(one.unless) <= CHECKS.keys() - {one.id}
        assert not one.title.endswith(".") and one.why.endswith((".", ")")) and one.fix.endswith((".", ")"))
