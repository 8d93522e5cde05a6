import os
import re
import statistics
import subprocess
import sys

import pytest

from hornbook.corpora import manuals
from hornbook.corpora.prose import paragraphs, sections


@pytest.mark.long
def test_the_same_in_every_process(tmp_path):
    # Another hash seed, working folder and environment: only the interpreter decides.
    code = "from hornbook.corpora import manuals; print(manuals.fingerprint())"
    runs = [
        subprocess.run(
            [sys.executable, *flags, "-c", code],
            env={"PYTHONHASHSEED": seed, "PATH": os.environ["PATH"]},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed, flags in [("1", []), ("2", ["-OO"])]
    ]
    assert runs == [manuals.fingerprint()] * 2


def test_size_and_quality():
    documents = manuals.documents()
    text = "\n".join(documents)
    assert 1_200_000 < len(text.encode()) < 4_000_000
    assert len(documents) > 500 and len(set(documents)) == len(documents)
    assert min(map(len, documents)) >= manuals.SHORTEST
    assert 500 < statistics.median(map(len, documents)) < manuals.LONGEST
    assert sum(letter.isalpha() or letter.isspace() for letter in text) > 0.92 * len(text)
    assert not re.search(r" at 0x|>>>|::=|:(?:class|func|meth):`", text)
    words = text.lower().split()
    assert words.count("the") > 0.04 * len(words)  # as in any English; in code it is close to none


def test_hardly_a_paragraph_stands_in_two_documents():
    lines = [line for document in manuals.documents() for line in document.split("\n")[1:] if len(line) > 80]
    assert len(lines) - len(set(lines)) < 0.002 * len(lines)


def test_known_sentences_are_there():
    text = "\n".join(manuals.documents())
    assert "Assignment statements are used to (re)bind names to values and to modify attributes" in text
    assert "Return a shallow copy of the list." in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One line that\n    is wrapped.", ["One line that is wrapped."]),
        ("See :class:`~a.b.Thing` and ``None`` for *more* of it.", ["See Thing and None for more of it."]),
        ("Return it now.\n\n>>> f(1)\n1\n\nIt is done.", ["Return it now.", "It is done."]),
        ("This is it. For example:\n\n>>> f(1)\n1", ["This is it."]),
        ("Use it so::\n\n    the code is in here and out\n\nIt is done.", ["It is done."]),
        (
            "It is one of:\n\n- this is one\n- that is two",
            ["It is one of:", "- this is one", "- that is two"],
        ),
        ("\nx.f(a[, b])\n\n   Return what it is.", ["x.f: Return what it is."]),
        ("Copyright (c) 1990 by the author of this.", []),
        ("a_stmt ::= this is the rule of it", []),
    ],
)
def test_prose(text, expected):
    assert list(paragraphs(text)) == expected


def test_sections():
    assert list(sections("a\n\nTitle\n*****\n\nb")) == [("", "a\n"), ("Title", "\nb")]
