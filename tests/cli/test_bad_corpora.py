"""Corpora that can't be read are refused by the command line: a sentence, code 2, and nothing on the disk changes."""

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

STORY = "once upon a time there was a little dog\n"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("nowhere.txt", "not there"),
        ("nowhere/*.txt", "matches no file"),
        ("[", "corpus.path"),
        ('""', "names no file"),
        ("[]", "names no file"),
        ("[nowhere.txt, runs/notes.txt]", "nowhere.txt"),
        ("runs", "a folder"),
        ("runs/notes.txt/x.txt", "notes.txt"),
        ("x" * 300, "x" * 20),
        ('"a\\0b"', "a"),
        ("3", "corpus.path"),
        ("true", "corpus.path"),
        ("~nobody/x.txt", "nobody"),
        ("https://example.org/x.txt", "example.org"),
        ("/dev/null", "/dev/null"),
        ("loop.txt", "loop.txt"),
        ("dangling.txt", "dangling.txt"),
        ("pipe", "pipe"),
    ],
)
def test_a_bad_path(path: str, said: str, refused: Callable[..., str], recipe: dict[str, Any]) -> None:
    Path("loop.txt").symlink_to("loop.txt")
    Path("dangling.txt").symlink_to("gone.txt")
    os.mkfifo("pipe")
    settings = [f"corpus.path={path}"]
    if path == "pipe":  # as a corpus it may be read once, but held-out text is read twice
        settings = ["corpus.heldout=pipe"]
    told = refused(recipe, *settings)
    assert said in told


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", b"", "a.txt"),
        ("a.txt", b"\n" * 99, "a.txt"),
        ("a.txt", (STORY * 9).encode() + b"caf\xe9\n", "corpus.encoding"),
        ("a.txt", (STORY * 9).encode("utf-16-le"), "set corpus.encoding=utf-16-le"),
        ("a.txt", b"%PDF-1.7" + b"\n" * 99, "not text"),
        ("a.txt", gzip.compress(STORY.encode() * 99, mtime=0)[:-9], "can't be read"),
        ("a.jsonl", b'{"story": "x"}\n', "corpus.field"),
        ("a.jsonl", b'{"text": 3}\n', "is int, not text"),
        ("a.jsonl", b'{"text": "x"\n', "not JSON"),
        ("a.json", b'[{"text": "a"}', "not JSON"),
        ("a.jsonl", b'{"text": ' + b"[" * 100_000, "can't be read"),
        ("a.jsonl", json.dumps({"text": "\ud800"}).encode(), "surrogate"),
        ("a.csv", b"id,text\n1,a,b\n", "3 fields where the header has 2"),
        ("a.csv", b"id,body\n1,a\n", "corpus.field"),
        ("a.parquet", b"not parquet", "not a whole Parquet file"),
        ("a.arrow", b"ARROW1\0\0 torn", "a.arrow"),
    ],
)
def test_a_bad_file(
    name: str, content: bytes, said: str, refused: Callable[..., str], recipe: dict[str, Any]
) -> None:
    Path(name).write_bytes(content)
    recipe["corpus"] = {"path": name}
    told = refused(recipe)
    assert said in told and name in told
