"""What all tests share: where the real data lies, when it is there."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from hornbook.testing import make_stories

pytest_plugins = ["tests.costs", "tests.skips"]
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real corpora and tokenizers, or a skip where this machine has none."""
    folder = Path(os.environ.get("HORNBOOK_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data is not here: {folder} (set HORNBOOK_DATA)")
    return folder


settings.register_profile("hornbook", deadline=None)
settings.load_profile("hornbook")


@pytest.fixture(scope="session")
def stories() -> list[str]:
    """Some hundred short stories, made by a seeded grammar: text that a tiny model can learn from in seconds."""
    return make_stories()


@pytest.fixture(scope="session")
def story_file(stories: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stories, a line each."""
    path = tmp_path_factory.mktemp("corpus") / "stories.txt"
    path.write_text("\n".join(stories), "utf-8")
    return path


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Give what puts an installed package with one module and one entry point on Python's path."""

    def write(name: str, point: str, code: str = "class Thing: ...", group: str = "hornbook.things") -> None:
        folder = tmp_path / name
        folder.mkdir()
        (folder / f"{name}.py").write_text(code)
        facts = folder / f"{name}-1.0.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (facts / "entry_points.txt").write_text(f"[{group}]\n{point} = {name}:Thing\n")
        monkeypatch.syspath_prepend(folder)

    return write


@pytest.fixture
def pythia(stories: list[str], tmp_path: Path) -> Path:
    """A folder as Pythia's are: byte-level BPE, padded vocabulary, untied head."""
    import torch
    from tokenizers import ByteLevelBPETokenizer
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, PreTrainedTokenizerFast

    rust = ByteLevelBPETokenizer()
    rust.train_from_iterator(stories, vocab_size=320, special_tokens=["<|endoftext|>"], show_progress=False)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=rust._tokenizer, eos_token="<|endoftext|>")
    torch.manual_seed(0)
    config = GPTNeoXConfig(
        vocab_size=384,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        bos_token_id=0,
        eos_token_id=0,
    )
    GPTNeoXForCausalLM(config).save_pretrained(tmp_path / "pythia")
    tokenizer.save_pretrained(tmp_path / "pythia")
    return tmp_path / "pythia"
