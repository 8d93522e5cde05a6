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

path, documents = Path(sys.argv[1]), sys.argv[2]
corpus = Corpus(path=str(path), documents=documents, heldout_fraction=0)
style = STYLES["shared"]
trained = train(corpus.documents_of("train"), TokenizerOptions(kind="bpe", vocab_size=420), style, 0)
tokenizer = build_fast_tokenizer(trained, "causal", 32, style)
store = build(path.with_name(documents), corpus.documents_of("train"), tokenizer, tokenizer.eos_token_id)
unit = 1 if sys.platform == "darwin" else 1024
print(len(store.ends), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
"""


def peak(path: Path, documents: str) -> tuple[int, float]:
    """Train a tokenizer and tokenize in a child; return the documents and the peak of memory in MB."""
    said = subprocess.check_output([sys.executable, "-c", CHILD, str(path), documents], text=True)
    found, bytes_ = said.split()[-2:]
    return int(found), int(bytes_) / MEGA


@pytest.fixture
def text(stories: list[str], tmp_path: Path) -> Callable[[int], Path]:
    def write(megabytes: int) -> Path:
        path = tmp_path / str(megabytes) / "text.txt"
        path.parent.mkdir()
        once = "\n".join(stories) + "\n"
        path.write_text(once * (megabytes * MEGA // len(once)), "utf-8")
        return path

    return write


@pytest.mark.slow
def test_one_document_takes_what_many_take(text: Callable[[int], Path]) -> None:
    """A document is held as a whole, with its ids; the trainer's and the tokenizer's memory isn't to be."""
    small, large = text(5), text(20)
    documents, many = peak(large, "line")
    assert documents > 10_000
    alone = [peak(path, "file") for path in (small, large)]
    assert [count for count, _ in alone] == [1, 1]
    assert alone[1][1] < 1.25 * many
    grown = large.stat().st_size - small.stat().st_size
    assert (
        alone[1][1] - alone[0][1] < 10 * grown / MEGA
    )  # with the text's numbers counted at once: 14 for a byte
