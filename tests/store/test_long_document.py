"""One long document takes about the memory that its text takes as many documents, whatever its length."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

MEGA = 1_000_000

CHILD = """
import resource, sys
from pathlib import Path
from hornbook.corpora import Corpus
from hornbook.store import build
from hornbook.tokenizers import STYLES, TokenizerOptions, build_fast_tokenizer, train

path, documents, marks = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "True"
corpus = Corpus(path=str(path), documents=documents, heldout_fraction=0)
style = STYLES["shared"]
trained = train(corpus.documents_of("train"), TokenizerOptions(kind="bpe", vocab_size=420), style, 0)
tokenizer = build_fast_tokenizer(trained, "causal", 32, style)
folder, end = path.with_name(documents), tokenizer.eos_token_id
store = build(folder, corpus.documents_of("train"), tokenizer, end, sentences=marks, words=marks)
unit = 1 if sys.platform == "darwin" else 1024
print(len(store.ends), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
"""


def peak(path: Path, documents: str, marks: bool) -> tuple[int, float]:
    """Train a tokenizer and tokenize in a child; return the documents and the peak of memory in MB."""
    command = [sys.executable, "-c", CHILD, str(path), documents, str(marks)]
    said = subprocess.check_output(command, text=True)
    found, bytes_ = said.split()[-2:]
    return int(found), int(bytes_) / MEGA


CHINESE = ["天地玄黃，宇宙洪荒。日月盈昃，辰宿列張。", "寒來暑往，秋收冬藏。閏餘成歲，律呂調陽。"]


@pytest.fixture
def text(stories: list[str], tmp_path: Path) -> Callable[[int, bool], Path]:
    def write(megabytes: int, spaces: bool) -> Path:
        path = tmp_path / str(megabytes) / "text.txt"
        path.parent.mkdir()
        once = "\n".join(stories) + "\n" if spaces else "".join(CHINESE)
        path.write_text(once * (megabytes * MEGA // len(once.encode())), "utf-8")
        return path

    return write


PER_BYTE = {False: 10, True: 25}
"""A document is held as a whole: its text, its ids, and with marks where its words and tokens end. At once, the
tokenizer would take about two hundred bytes for each character."""


@pytest.mark.slow
@pytest.mark.parametrize("marks", [False, True])
def test_one_document_takes_what_many_take(marks: bool, text: Callable[[int, bool], Path]) -> None:
    small, large = text(5, True), text(20, True)
    documents, many = peak(large, "line", marks)
    assert documents > 10_000
    alone = [peak(path, "file", marks) for path in (small, large)]
    assert [count for count, _ in alone] == [1, 1]
    assert alone[1][1] < (1.75 if marks else 1.25) * many
    grown = large.stat().st_size - small.stat().st_size
    assert alone[1][1] - alone[0][1] < PER_BYTE[marks] * grown / MEGA


@pytest.mark.slow
@pytest.mark.parametrize("marks", [False, True])
def test_a_document_without_spaces(marks: bool, text: Callable[[int, bool], Path]) -> None:
    """It is cut at its stops."""
    small, large = text(5, False), text(20, False)
    (_, less), (_, more) = (peak(path, "file", marks) for path in (small, large))
    grown = large.stat().st_size - small.stat().st_size
    assert more - less < PER_BYTE[marks] * grown / MEGA
