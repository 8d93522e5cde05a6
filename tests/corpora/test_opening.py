"""Files as the world has them: packed by another name, in other encodings, joined, or no text at all."""

import bz2
import gzip
import io
import lzma
import os
import tarfile
import threading
import zipfile
from pathlib import Path

import pyarrow
import pytest

from hornbook.corpora import Corpus, files
from hornbook.errors import HornbookError


def zipped(raw: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("a.txt", raw)
    return made.getvalue()


def zstandard(raw: bytes) -> bytes:
    made = pyarrow.BufferOutputStream()
    with pyarrow.CompressedOutputStream(made, "zstd") as file:
        file.write(raw)
    return made.getvalue().to_pybytes()


PACKED = [gzip.compress, bz2.compress, lzma.compress, zipped, zstandard]


@pytest.mark.parametrize("pack", PACKED)
@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz", "a"])
def test_what_is_packed_is_read_whatever_its_name(pack, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(pack("blåbær\ntwo".encode()))
    assert list(files.read(tmp_path / name, documents="line")) == ["blåbær", "two"]


@pytest.mark.parametrize("pack", PACKED)
def test_what_is_packed_and_cut_off_is_refused(pack, tmp_path: Path) -> None:
    whole = pack(os.urandom(3000).hex().encode())
    (tmp_path / "a.txt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(HornbookError, match=r"a\.txt can't be read"):
        list(files.read(tmp_path / "a.txt"))


def test_two_packed_files_joined_are_read_whole(tmp_path: Path) -> None:
    for pack in (gzip.compress, bz2.compress, lzma.compress, zstandard):
        (tmp_path / "a").write_bytes(pack(b"one\n") + pack(b"two"))
        assert list(files.read(tmp_path / "a", documents="line")) == ["one", "two"]


def test_a_name_that_lies_about_packing_is_no_matter(tmp_path: Path) -> None:
    (tmp_path / "a.txt.gz").write_text("plain")
    assert list(files.read(tmp_path / "a.txt.gz")) == ["plain"]


def test_an_archive_of_several_files_loses_none_of_them(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.txt", "one")
        archive.writestr("b.txt", "two")
    with pytest.raises(HornbookError, match=r"a\.zip is a zip archive of 2 files.*unpack it"):
        list(files.read(tmp_path / "a.zip"))
    (tmp_path / "b.txt").write_text("two")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as made:
        made.add(tmp_path / "b.txt", "b.txt")
    with pytest.raises(HornbookError, match=r"tar archive.*unpack it"):
        list(files.read(tmp_path / "a.tar.gz"))


@pytest.mark.parametrize(
    "text",
    ["One day it rained.\nThen came the sun.\n" * 9, "Шёл дождь и было тепло.\nПотом вышло солнце.\n" * 9],
)
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "utf-16", "utf-32"])
def test_utf_16_and_32_are_named_and_the_advice_works(text: str, encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode(encoding))
    corpus = Corpus(path=str(path), documents="line", heldout_fraction=0)
    with pytest.raises(
        HornbookError, match=f"{encoding}, not utf-8: set corpus.encoding={encoding}$"
    ) as error:
        list(corpus.documents_of("train"))
    told = str(error.value).rpartition("=")[2]
    mended = corpus.model_copy(update={"encoding": told})
    assert "\n".join(mended.documents_of("train")) + "\n" == text


def test_zero_bytes_in_the_dark_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("语言模型\n".encode("utf-16-le"))
    with pytest.raises(
        HornbookError, match=r"byte \d+ is not utf-8.*2 bytes near it are zero, as in utf-16-le"
    ):
        list(files.read(tmp_path / "a.txt"))


@pytest.mark.parametrize("begin", [b"%PDF-1.7", b"SQLite format 3\0", b"PAR1", b"ARROW1\0\0"])
def test_another_kind_of_file_is_named(begin: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(begin + b"\n" * 99)
    with pytest.raises(HornbookError, match=r"a\.txt is an? .*, not text: "):
        list(files.read(tmp_path / "a.txt"))


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 1 << 20])
def test_a_byte_order_mark_goes_wherever_files_were_joined(
    piece: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within a line it is a character like any other."""
    monkeypatch.setattr(files, "PIECE", piece)
    path = tmp_path / "a.txt"
    path.write_text("\ufeff\ufeffone\r\n\ufefftwo\ufeff\r\r\ufeff\ufeff\nend", "utf-8")
    assert "".join(files.pieces(path)) == "one\ntwo\ufeff\n\n\nend"
    rows = tmp_path / "a.jsonl"
    rows.write_text('\ufeff{"text": "one"}\n\ufeff{"text": "two"}\n', "utf-8")
    assert list(files.read(rows)) == ["one", "two"]


def test_every_end_of_line_ends_a_line(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("a\nb\r\nc\rd\x85e".encode())
    assert list(files.read(tmp_path / "a.txt", documents="line")) == ["a", "b", "c", "d", "e"]
    (tmp_path / "a.jsonl").write_text('{"text": "a\x85b\u2028c"}', "utf-8")
    assert list(files.read(tmp_path / "a.jsonl")) == ["a\x85b\u2028c"]


def test_a_folder_whose_name_looks_like_a_glob(tmp_path: Path) -> None:
    for folder in ("d [v1]", "d v"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text(folder)
    assert files.resolve([str(tmp_path / "d [v1]" / "*.txt")]) == [tmp_path / "d [v1]" / "a.txt"]
    assert files.resolve([str(tmp_path / "d [v1]" / "a.txt")]) == [tmp_path / "d [v1]" / "a.txt"]
    assert files.resolve([str(tmp_path / "d [uv]" / "*.txt")]) == [tmp_path / "d v" / "a.txt"]
    with pytest.raises(HornbookError, match=r"matches no file.*or write \[\[\] for a bracket"):
        files.resolve([str(tmp_path / "d [v1" / "b[0].txt")])


def test_a_pipe_is_refused_where_it_would_be_read_twice(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(HornbookError, match=r"pipe or a device, which can be read only once: save its text"):
        files.resolve([str(tmp_path / "pipe")], "corpus.heldout")


def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(
        target=lambda: (tmp_path / "pipe").write_bytes(gzip.compress(b"one\ntwo")), daemon=True
    )
    writer.start()
    assert list(files.read(tmp_path / "pipe", documents="line")) == ["one", "two"]
