import time

import datasets
import pytest

from hornbook.corpora import Corpus, hub
from hornbook.errors import HornbookError


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "stories"
    folder.mkdir()
    for split in ("train", "validation"):
        rows = [f'{{"story": "{split} {n}", "n": {n}}}\n' for n in range(3)]
        (folder / f"{split}.jsonl").write_text("".join(rows))
    return folder


@pytest.mark.parametrize("streaming", [False, True])
def test_a_local_folder(folder, streaming):
    corpus = Corpus(dataset=str(folder), field="story", heldout="validation", streaming=streaming)
    assert list(corpus.documents_of("train")) == ["train 0", "train 1", "train 2"]
    assert list(corpus.documents_of("heldout")) == ["validation 0", "validation 1", "validation 2"]


def test_what_a_folder_lacks_is_named(folder):
    with pytest.raises(HornbookError, match=r"no field 'text', its fields are story, n"):
        list(hub.read(str(folder), None, "train", "text"))
    with pytest.raises(HornbookError, match=r"is int, not text"):
        list(hub.read(str(folder), None, "train", "n"))
    with pytest.raises(HornbookError, match=r"split 'trian'.*train"):
        list(hub.read(str(folder), None, "trian", "story"))


def test_the_fingerprint_follows_the_folder(folder):
    corpus = Corpus(dataset=str(folder), field="story")
    before = corpus.fingerprint()
    (folder / "train.jsonl").write_text('{"story": "another"}\n')
    assert corpus.fingerprint() != before


@pytest.mark.parametrize("streaming", [False, True])
def test_without_a_network_one_line_soon(monkeypatch, streaming):
    from huggingface_hub import HfApi
    from huggingface_hub.utils import httpx

    def unreachable(*args, **kwargs):
        raise httpx.ConnectError("Name or service not known")

    monkeypatch.setattr(HfApi, "dataset_info", unreachable)
    start = time.monotonic()
    with pytest.raises(HornbookError, match="out of reach") as error:
        list(hub.read("noanabeshima/TinyStoriesV2", None, "train", "text", streaming))
    took = time.monotonic() - start
    assert took < 10 and "\n" not in str(error.value)


def test_the_offline_flag_is_put_back(monkeypatch):
    before = datasets.config.HF_HUB_OFFLINE
    monkeypatch.setattr(hub, "_commit", lambda name: None)
    with pytest.raises(HornbookError):
        hub.revision("nobody/nothing", None, "train")
    assert before == datasets.config.HF_HUB_OFFLINE


def test_a_name_that_is_none():
    with pytest.raises(HornbookError, match="neither a folder"):
        list(hub.read("no/such/folder", None, "train", "text"))
