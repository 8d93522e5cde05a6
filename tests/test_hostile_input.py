"""Whatever a recipe, a folder, a tokenizer or a corpus holds: it is read, or refused in a sentence.

The inputs are drawn by seed, the same at every run. `python -m benchmarks.fuzz` searches longer, guided by coverage.
"""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbook.corpora.files import read as read_corpus
from hornbook.errors import HornbookError
from hornbook.loading import load_model
from hornbook.recipe import make_recipe, read_recipe
from hornbook.tokenizers import import_tokenizer
from hornbook.tokenizers import load as load_tokenizer
from tests.evaluation.conftest import make_tokenizer, save

__all__ = ["make_tokenizer", "save"]

seeded = settings(derandomize=True, database=None, deadline=None)
few, some = settings(seeded, max_examples=15), settings(seeded, max_examples=60)

NUMBERS = st.integers() | st.sampled_from([0, -1, 2**31, 2**63, 10**30, 1e308, float("nan"), float("inf")])
TEXTS = st.text(max_size=8) | st.sampled_from(
    ["../x", "\0", "{{ 1 }}", "true", "💥", "\ud800", "</script>", "~"]
)
PLAIN = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=5
)
PLACES = st.integers(0, 10**6)

RECIPE: dict[str, Any] = {
    "name": "mine",
    "corpus": {"path": "x.txt", "documents": "line"},
    "tokenizer": {"kind": "bpe", "vocab_size": 500},
    "model": {"preset": "tinystories-1m", "length": 32, "config": {"num_layers": 1}},
    "objective": {"name": "causal"},
    "training": {"steps": 4, "phases": [{"length": 32, "share": 1.0}], "betas": [0.9, 0.95]},
}


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Find the places of all values within a JSON value; of long tables some."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in list(inner)[:40]:
        yield (*at, key)
        yield from places(one, (*at, key))


def altered(whole: Any, place: int, value: Any) -> Any:
    """Copy a JSON value with another value at one of its places."""
    copied = json.loads(json.dumps(whole))
    found = list(places(copied))
    *way, last = found[place % len(found)]
    inner = copied
    for key in way:
        inner = inner[key]
    inner[last] = value
    return copied


def told(error: HornbookError) -> None:
    assert str(error) and "Traceback" not in str(error)


@given(PLACES, VALUES)
@some
def test_values_of_a_recipe(place: int, value: Any) -> None:
    try:
        made = make_recipe(altered(RECIPE, place, value))
        made.to_yaml()
    except HornbookError as error:
        told(error)


PIECES = st.sampled_from(
    [
        *(
            "name: a\n",
            "model:\n",
            "  preset: ",
            "bert-tiny",
            "&a ",
            "*a",
            "<<: ",
            "[",
            "]",
            "{",
            "}",
            "- ",
            "? ",
        ),
        *("!!", "'", "!!python/object:os.system ", "|\n", "%YAML 1.2\n", "---\n", ": ", "0o7", "1e999", "\t"),
        *("\x00", "\ufeff"),
    ]
)


@given(st.lists(PIECES | st.text(max_size=3), max_size=20).map("".join) | st.binary(max_size=40))
@some
def test_text_of_a_recipe(tmp_path_factory: pytest.TempPathFactory, text: str | bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "recipe.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    try:
        read_recipe(path)
    except HornbookError as error:
        told(error)


@pytest.fixture(scope="module")
def whole(save: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A healthy folder."""
    return save(tmp_path_factory.mktemp("whole") / "gpt_neo", "tinystories-1m")


@pytest.fixture(scope="module")
def copied(whole: Path) -> Path:
    """A copy of it, to be changed."""
    shutil.copytree(whole, whole.with_name("copied"))
    return whole.with_name("copied")


def write(path: Path, facts: Any) -> None:
    path.write_bytes(json.dumps(facts).encode("utf-8", "surrogatepass"))


@given(st.sampled_from(["config.json", "generation_config.json"]), PLACES, VALUES)
@few
def test_settings_of_a_model(whole: Path, copied: Path, name: str, place: int, value: Any) -> None:
    facts = json.loads((whole / name).read_text()) if (whole / name).exists() else {"max_length": 1}
    write(copied / name, altered(facts, place, value))
    try:
        load_model(copied)
    except HornbookError as error:
        told(error)
    finally:
        shutil.copy(whole / "config.json", copied)
        (copied / "generation_config.json").unlink(missing_ok=True)


@given(st.sampled_from(["tokenizer.json", "tokenizer_config.json"]), PLACES, VALUES)
@few
def test_settings_of_a_tokenizer(whole: Path, copied: Path, name: str, place: int, value: Any) -> None:
    write(copied / name, altered(json.loads((whole / name).read_text()), place, value))
    try:
        load_tokenizer(str(copied))("Once upon a time")
    except HornbookError as error:
        told(error)
    finally:
        shutil.copy(whole / name, copied)


@given(st.integers(0, 3000), st.binary(min_size=1, max_size=12))
@few
def test_bytes_of_weights(whole: Path, copied: Path, at: int, bytes_: bytes) -> None:
    raw = (whole / "model.safetensors").read_bytes()
    (copied / "model.safetensors").write_bytes(raw[:at] + bytes_ + raw[at + len(bytes_) :])
    try:
        load_model(copied)
    except HornbookError as error:
        told(error)
    finally:
        shutil.copy(whole / "model.safetensors", copied)


@given(st.sampled_from(["vocab.txt", "x.model", "tokenizer.json", "vocab.json"]), st.binary(max_size=200))
@few
def test_bytes_of_a_tokenizer(tmp_path_factory: pytest.TempPathFactory, name: str, raw: bytes) -> None:
    path = tmp_path_factory.mktemp("one") / name
    path.write_bytes(raw)
    try:
        import_tokenizer(path)
    except HornbookError as error:
        told(error)


NAMES = ["x.txt", "x.jsonl", "x.json", "x.csv", "x.tsv", "x.parquet", "x.txt.gz", "x.jsonl.bz2", "x.csv.xz"]
LINES = st.lists(
    VALUES.map(lambda one: json.dumps({"text": one}).encode("utf-8", "surrogatepass")), max_size=4
)


@given(
    st.sampled_from(NAMES),
    st.binary(max_size=100)
    | LINES.map(b"\n".join)
    | st.text(max_size=40).map(lambda one: one.encode("utf-16")),
    st.sampled_from(["file", "blank-line", "line", "separator"]),
    st.sampled_from(["utf-8", "utf-16", "utf-7", "ascii", "cp932"]),
)
@some
def test_files_of_a_corpus(
    tmp_path_factory: pytest.TempPathFactory, name: str, raw: bytes, cut: Any, encoding: str
) -> None:
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(raw)
    try:
        assert all(isinstance(one, str) for one in read_corpus(path, documents=cut, encoding=encoding))
    except HornbookError as error:
        told(error)
    finally:
        os.unlink(path)
