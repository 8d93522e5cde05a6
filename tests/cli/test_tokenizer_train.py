"""`hornbook tokenizer train` and `inspect`: what is trained is what was asked for, and is shown as it is."""

import json
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
import tokenizers
from huggingface_hub import ModelCard
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from hornbook.families import FAMILIES
from hornbook.tokenizer import inspect
from hornbook.tokenizers import STYLES, tokenizer_hash

Run = Callable[..., str]


@pytest.fixture
def text(stories: list[str], tmp_path: Path) -> str:
    (tmp_path / "stories.txt").write_text("\n\n".join(stories))
    return "stories.txt"


@pytest.mark.parametrize("family", FAMILIES)
def test_special_tokens_stand_where_the_family_wants_them(run: Run, text: str, family: str) -> None:
    words = ("--for", family, "--corpus-path", text, "--vocab-size", "480", "--sentinels", "8")
    told = json.loads(run("train", "--out", "new", *words, "--json"))
    loaded, style = AutoTokenizer.from_pretrained("new"), STYLES[FAMILIES[family].style]
    assert loaded.convert_ids_to_tokens(list(range(len(style.front)))) == list(style.front)
    assert told["kind"] == FAMILIES[family].kind and told["entries"] == len(loaded) <= 480
    last = len(loaded) - 1 - len(style.back)
    assert loaded.convert_tokens_to_ids("<extra_id_0>") == last
    assert loaded.convert_tokens_to_ids("<extra_id_7>") == last - 7
    seen = json.loads(run("inspect", "new", "--json"))["new"]
    assert seen["roles"] == {
        role: [token, loaded.convert_tokens_to_ids(token)] for role, token in style.roles.items()
    }
    assert seen["template"] == " ".join(
        "A" if token == "a" else token
        for token in loaded.convert_ids_to_tokens(loaded("a")["input_ids"])
        if token != "▁"
    )


def test_options_reach_the_trainer(run: Run, text: str) -> None:
    words = ("--corpus-path", text, "--kind", "unigram", "--style", "albert", "--lowercase", "--length", "77")
    run("train", "--out", "new", "--vocab-size", "500", *words)
    loaded = AutoTokenizer.from_pretrained("new")
    assert loaded.model_max_length == 77 and loaded.decode(loaded("Once UPON")["input_ids"]) == "once upon"
    assert loaded.convert_tokens_to_ids("[MASK]") == 4


def test_figures_on_a_text(run: Run, text: str, stories: list[str]) -> None:
    run("train", "--out", "a", "--vocab-size", "400", "--corpus-path", text)
    run("train", "--out", "b", "--vocab-size", "120", "--corpus-path", text, "--for", "bert", "--lowercase")
    Path("other.txt").write_text("\n\n".join([*stories[:30], "Ω ☃ once <mask> </s> [MASK]"]))
    seen = json.loads(run("inspect", "a", "b", "--text", "other.txt", "--sentence", "Once upon", "--json"))
    raw = [*stories[:30], "Ω ☃ once <mask> </s> [MASK]"]
    for name in ("a", "b"):
        one = Tokenizer.from_file(f"{name}/tokenizer.json")
        one.encode_special_tokens = True
        tokens = Counter(t for text in raw for t in one.encode(text, add_special_tokens=False).tokens)
        measured = seen[name]["measured"]
        assert measured["tokens"] == tokens.total()
        assert (
            measured["unknown"] == tokens["<unk>"] + tokens["[UNK]"] == (0 if name == "a" else 9)
        )  # Ω ☃ <> </> []
        assert measured["bytes"] == sum(len(text.encode()) for text in raw)
        assert measured["bytes_per_token"] == pytest.approx(measured["bytes"] / tokens.total())
        assert measured["used"] == len(tokens)
        assert seen[name]["split"] == one.encode("Once upon", add_special_tokens=False).tokens
        assert seen[name]["entries"] == one.get_vocab_size()
        assert (
            inspect(name, text=iter(raw))[name].measured
            == inspect(name, text=Path("other.txt"))[name].measured
        )
        assert inspect(name, text=iter(raw))[name].measured.tokens == measured["tokens"]
    longest = max(len(text) for text in seen["a"]["longest"])
    assert seen["a"]["longest"][0] and longest == len(seen["a"]["longest"][0])
    side_by_side = run("inspect", "a", "b")
    assert "BPE" in side_by_side and "WordPiece" in side_by_side


def test_a_folder_says_what_it_was_trained_on(run: Run, text: str) -> None:
    words = (
        "--corpus-path",
        text,
        "--vocab-size",
        "400",
        "--kind",
        "unigram",
        "--for",
        "t5",
        "--sentinels",
        "4",
    )
    told = json.loads(run("train", "--out", "a", *words, "--json"))
    record = json.loads(Path("a", "tokenizer_training.json").read_text("utf-8"))
    # A second reading of the corpus: documents between blank lines, each behind its length.
    documents = [part.strip().encode() for part in Path(text).read_text("utf-8").split("\n\n")]
    written = b"".join(b"%d\n%b" % (len(one), one) for one in documents)
    assert record["corpus"] == {
        "name": f"{text}, a document per blank line",
        "fingerprint": sha256(written).hexdigest(),
        "documents": len(documents),
        "bytes": sum(map(len, documents)),
    }
    assert record["command"] == "hornbook tokenizer train --out a " + " ".join((*words, "--json"))
    assert record["versions"]["tokenizers"] == tokenizers.__version__
    assert record["options"]["vocab_size"] == 400 and record["hash"] == told["hash"]
    card = ModelCard.load(Path("a", "README.md"))
    assert card.data.library_name == "transformers" and "tokenizer" in card.data.tags
    assert record["corpus"]["fingerprint"] in card.text and "Unigram" in card.text

    seen, other = json.loads(run("inspect", "a", "--json"))["a"], run("inspect", "a")
    assert seen["training"] == record
    assert seen["ids"] == AutoTokenizer.from_pretrained("a").convert_tokens_to_ids(seen["split"])
    assert f"{seen['split'][0]}={seen['ids'][0]}" in other
    assert f"{len(documents):,} documents" in other

    # The same text elsewhere is the same corpus; the rest of the folder doesn't depend on what is recorded.
    Path("b.txt").write_bytes(Path(text).read_bytes())
    run("train", "--out", "b", *("b.txt" if word == text else word for word in words))
    again = json.loads(Path("b", "tokenizer_training.json").read_text("utf-8"))
    assert (
        again["corpus"]["fingerprint"] == record["corpus"]["fingerprint"] and again["hash"] == record["hash"]
    )
    for name in ("tokenizer.json", "tokenizer_config.json"):
        assert Path("a", name).read_bytes() == Path("b", name).read_bytes()
    Path("a", "tokenizer_training.json").unlink()
    Path("a", "README.md").unlink()
    assert tokenizer_hash(AutoTokenizer.from_pretrained("a")) == record["hash"]
    assert json.loads(run("inspect", "a", "--json"))["a"] == seen | {"training": None}
    Path("a", "tokenizer_training.json").write_text("{")
    assert "tokenizer_training.json: it can't be read as JSON" in run("inspect", "a", code=2)


def test_unreachable_tokens_are_found(data: Path, run: Run) -> None:
    folder = str(data / "tokenizers" / "10k-gpt-neo")
    seen = json.loads(run("inspect", folder, "--json"))[folder]
    assert seen["unreachable"] == ["ths"]  # its merge was cut off, see the published merges.txt
    assert seen["template"] == "A"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("train", "--out", "stories.txt"), "something is there already"),
        (("train", "--out", "new", "--for", "brt"), "did you mean 'bert'"),
        (("train", "--out", "new", "--style", "brt"), "did you mean 'bert'"),
        (("train", "--out", "new", "--kind", "bpes"), "--kind bpes"),
        (("train", "--out", "new", "--documents", "x"), "--documents x"),
        (("train", "--out", "new", "--vocab-size", "100", "--corpus-path", "stories.txt"), "261"),
        (("train", "--out", "new", "--corpus-path", "no.txt"), "no.txt"),
        (("inspect", "nowhere"), "nowhere"),
        (("inspect", "nowhere", "--text", "no.txt"), "no"),
    ],
)
def test_bad_input_is_told_on_one_line(run: Run, text: str, words: tuple[str, ...], told: str) -> None:
    before = sorted(Path().rglob("*"))
    answer = run(*words, code=2)
    assert told in answer.splitlines()[-1] and answer.splitlines()[-1].startswith("hornbook: ")
    assert sorted(Path().rglob("*")) == before


def test_what_was_made_from_another_says_from_which(run: Run, text: str) -> None:
    run("train", "--out", "a", "--corpus-path", text, "--vocab-size", "400", "--for", "gpt2")
    run("reindex", "a", "--for", "roberta", "--out", "b")
    run("import", "b", "--out", "c")
    records = {name: json.loads(Path(name, "tokenizer_training.json").read_text("utf-8")) for name in "abc"}
    for before, after in ("ab", "bc"):
        assert records[after]["corpus"] == records["a"]["corpus"]
        assert records[after]["made_from"] == {
            "source": before,
            "hash": records[before]["hash"],
            "command": records[before]["command"],
        }
        assert records[after]["hash"] == tokenizer_hash(AutoTokenizer.from_pretrained(after))
        assert f"{before} ({records[before]['hash']})" in ModelCard.load(Path(after, "README.md")).text
    assert records["b"]["command"] == "hornbook tokenizer reindex a --for roberta --out b"
    Path("a", "tokenizer_training.json").unlink()
    run("import", "a/tokenizer.json", "--out", "d")
    unknown = json.loads(Path("d", "tokenizer_training.json").read_text("utf-8"))
    assert unknown["corpus"] is None and unknown["made_from"]["hash"] == records["a"]["hash"]
