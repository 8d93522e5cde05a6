"""What a model was asked, on its page, and the curve of a longer run."""

from pathlib import Path

from hornbook.report import read_run, write_page
from hornbook.report.asked import AskedQuestion, Longer

LONGER = Longer(
    "9,000 steps", "masked", "the manuals (CPython 3.11)", "2 threads of a processor", 9,
    [10, 20], [200, 400], [1.0, 2.0], [5.0, 2.5],
)  # fmt: skip


def test_the_page_shows_what_was_asked_and_a_longer_run(three: list[Path], tmp_path: Path) -> None:
    asked = [
        AskedQuestion("A <mask> b.", ("of",), "of", 0.5),
        AskedQuestion("C <mask>.", ("or", "and"), "<the>", 0.25),
    ]
    page = write_page(
        [read_run(one) for one in three], tmp_path / "page.html", "T", asked=asked, longer=LONGER
    )
    text = page.read_text("utf-8")
    assert "1 of 2 right" in text and text.count("✓ right") == text.count("✗ wrong") == 1
    assert "A ___ b." in text and "&lt;the&gt;" in text and "or, and" in text
    assert f"a longer run, measured elsewhere: {LONGER.name}" in text
    assert "It was measured once, not on your machine" in text
    assert page.stat().st_size < 1_000_000
