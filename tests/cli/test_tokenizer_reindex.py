"""`hornbook tokenizer reindex`, from folder to folder, with and without a model."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import (
    AutoModelForCausalLM,
    AutoModelForPreTraining,
    AutoTokenizer,
    BertConfig,
    BertForPreTraining,
    PreTrainedTokenizerBase,
)

from hornbook.families import find
from hornbook.tokenizers import STYLES, TokenizerOptions, build_fast_tokenizer, load, train
from hornbook.tokenizers.folder import write

Run = Callable[..., str]
PLACES = "<pad>=0,<s>=1,</s>=2,<unk>=3,<mask>=-1"


@pytest.fixture
def gpt(stories: list[str], tmp_path: Path) -> PreTrainedTokenizerBase:
    """A small BPE for GPT in the folder `old`, with legacy files."""
    trained = train(stories, TokenizerOptions(vocab_size=400), STYLES["gpt"], 0)
    dressed = build_fast_tokenizer(trained, "causal", 64, STYLES["gpt"])
    dressed.save_pretrained(tmp_path / "old")
    dressed.backend_tokenizer.model.save(str(tmp_path / "old"))
    return dressed


def loss(folder: Path, texts: list[str]) -> float:
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    batch = tokenizer(texts, return_tensors="pt", padding=True, truncation=True, max_length=64)
    labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
    with torch.no_grad():
        return model(**batch, labels=labels).loss.item()


@pytest.mark.long
def test_a_trained_gpt_neo_has_the_same_loss_under_the_published_ids(
    data: Path, run: Run, stories: list[str]
) -> None:
    source = data / "tokenizers" / "10k-gpt-neo"
    tokenizer, family = load(str(source)), find("tinystories-1m")
    small = {"hidden_size": 32, "num_heads": 2, "num_layers": 2}
    model = family.build(family.configure("tinystories-1m", tokenizer, 64, small), "causal", seed=0)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    for step in range(10):
        ids = tokenizer(stories[step * 4 : step * 4 + 4], padding=True, return_tensors="pt")["input_ids"]
        model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained("old")
    tokenizer.save_pretrained("old")
    told = json.loads(
        run("reindex", str(source), "--out", "new", "--for", "gpt_neo", "--model", "old", "--json")
    )
    texts = [
        text for text in stories[-20:] if not any(word in text for word in ("Som", "Hop", "oret", "ths"))
    ]
    before, after = loss(Path("old"), texts), loss(Path("new"), texts)
    assert before < 8.5  # it has learnt something: ln 10000 is 9.2
    assert after == pytest.approx(before, abs=1e-6)
    assert told["rows"] == {
        "<pad>": "ĠSom",
        "<s>": "ĠHop",
        "<unk>": "oret",
        "<mask>": "ths",
    }
    assert told["renamed"] == {"<|endoftext|>": "</s>"}
    rows = [load_file(f"{name}/model.safetensors")["transformer.wte.weight"] for name in ("old", "new")]
    assert torch.equal(rows[1][2], rows[0][9999])  # the end of text stays what it has learned to be
    published = Tokenizer.from_file(str(data / "tokenizers" / "10k-tok" / "tokenizer.json")).get_vocab()
    assert AutoTokenizer.from_pretrained("new").get_vocab() == published
    config = json.loads(Path("new/config.json").read_text())
    assert (config["pad_token_id"], config["bos_token_id"], config["eos_token_id"]) == (0, 1, 2)
    assert config["vocab_size"] == 10000


def test_a_model_in_half_precision_keeps_every_weight(run: Run, stories: list[str]) -> None:
    """A BERT for pre-training has a head for pairs too, and its precision is its own."""
    trained = train(stories, TokenizerOptions(kind="wordpiece", vocab_size=300), STYLES["bert"], 0)
    tokenizer = build_fast_tokenizer(trained, "masked", 64, STYLES["bert"], segments=True)
    config = BertConfig(
        vocab_size=320,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        pad_token_id=tokenizer.pad_token_id,
    )
    BertForPreTraining(config).to(torch.bfloat16).save_pretrained("old")
    write(tokenizer, Path("old"))
    run(
        "reindex",
        "old",
        "--out",
        "new",
        "--place",
        "[MASK]=0,[PAD]=9,[UNK]=1,[SEP]=2,[CLS]=3",
        "--model",
        "old",
    )
    before, after = load_file("old/model.safetensors"), load_file("new/model.safetensors")
    assert before.keys() == after.keys()
    assert all(weight.dtype == torch.bfloat16 for weight in after.values())
    same = [name for name in before if torch.equal(before[name], after[name])]
    assert "cls.seq_relationship.weight" in same and "bert.embeddings.word_embeddings.weight" not in same
    old, new = AutoTokenizer.from_pretrained("old"), AutoTokenizer.from_pretrained("new")
    assert new.pad_token_id == 9 and new.mask_token_id == 0 and "token_type_ids" in new.model_input_names
    models = [AutoModelForPreTraining.from_pretrained(name, dtype=torch.float32) for name in ("old", "new")]
    for text in stories[:5]:
        with torch.no_grad():
            one, other = (
                model(**tokenizer(text, return_tensors="pt"))
                for tokenizer, model in zip((old, new), models, strict=True)
            )
        torch.testing.assert_close(one.seq_relationship_logits, other.seq_relationship_logits)
        torch.testing.assert_close(
            one.prediction_logits[0].logsumexp(-1),
            other.prediction_logits[0].logsumexp(-1),
            rtol=1e-5,
            atol=1e-5,
        )


def test_the_report_counts_what_is_split_differently(run: Run, gpt: Any, stories: list[str]) -> None:
    Path("text.txt").write_text("\n\n".join(stories))
    words = ("reindex", "old", "--out", "new", "--place", PLACES, "--text", "text.txt", "--json")
    told = json.loads(run(*words))
    new = AutoTokenizer.from_pretrained("new")
    # Five special tokens, of which two are those of GPT-NeoX under new names: three merges go.
    pieces = [token for token, parts in told["dropped"].items() if parts]
    assert len(pieces) == len(told["dropped"]) == 3
    assert told["renamed"] == {"<|endoftext|>": "</s>", "<|padding|>": "<pad>"}
    before = [gpt.tokenize(text) for text in stories]
    after = [new.tokenize(text) for text in stories]
    assert told["text"]["tokens_before"] == sum(map(len, before))
    assert told["text"]["tokens_after"] == sum(map(len, after))
    assert told["text"]["tokens_changed"] == sum(text.count(piece) for text in before for piece in pieces)
    assert told["text"]["examples"][0]["times"] > 0
    assert told["roles"]["pad_token"] == {"token": "<pad>", "id": 0}
    run("reindex", "old", "--out", "again", "--place", PLACES, "--text", "text.txt")


def test_legacy_files_agree(run: Run, gpt: Any, stories: list[str]) -> None:
    run("reindex", "old", "--out", "new", "--for", "roberta")
    new = AutoTokenizer.from_pretrained("new")
    Path("legacy").mkdir()
    for name in ("vocab.json", "merges.txt"):
        Path("new", name).rename(Path("legacy", name))
    legacy = load("legacy")
    assert legacy.get_vocab() == new.get_vocab() and legacy.mask_token_id == 399
    for text in stories[:50]:
        assert (
            legacy(text, add_special_tokens=False)["input_ids"]
            == new(text, add_special_tokens=False)["input_ids"]
        )


def test_the_list_of_words_agrees(data: Path, run: Run) -> None:
    source = data / "tokenizers" / "bert-base-uncased"
    run("reindex", str(source), "--out", "new", "--for", "roberta", "--rename", "[UNK]=<unk>,[PAD]=<pad>")
    vocabulary = AutoTokenizer.from_pretrained("new").get_vocab()
    assert Path("new/vocab.txt").read_text("utf-8").split("\n")[:-1] == sorted(vocabulary, key=vocabulary.get)


def test_a_name_lives_on(run: Run, gpt: Any) -> None:
    told = json.loads(
        run("reindex", "old", "--out", "new", "--place", PLACES, "--rename", "<|endoftext|>=</s>", "--json")
    )
    assert told["renamed"]["<|endoftext|>"] == "</s>" and "</s>" not in told["added"]


def test_nothing_special_goes_unasked(data: Path, run: Run) -> None:
    """The doctor's own advice for GPT-Neo's tokenizer, whose one special token plays four roles."""
    source = str(data / "tokenizers" / "10k-gpt-neo")
    told = json.loads(run("reindex", source, "--out", "new", "--place", "<pad>=0", "--json"))
    assert told["dropped"] == {"ths": ["th", "s"]}  # the one piece that no text reaches
    new = AutoTokenizer.from_pretrained("new")
    assert (new.bos_token, new.eos_token, new.unk_token, new.pad_token) == (*["<|endoftext|>"] * 3, "<pad>")
    told = json.loads(run("reindex", source, "--out", "less", "--drop", "<|endoftext|>", "--json"))
    assert list(told["dropped"]) == ["<|endoftext|>"] and not told["roles"]


def test_t5_keeps_its_sentinels(run: Run, stories: list[str]) -> None:
    trained = train(stories, TokenizerOptions(kind="unigram", vocab_size=500), STYLES["t5"], 10)
    write(build_fast_tokenizer(trained, "seq2seq", 64, STYLES["t5"]), Path("old"))
    told = json.loads(run("reindex", "old", "--out", "new", "--for", "t5", "--json"))
    assert not told["moved"] and not told["dropped"] and not told["added"]
    assert AutoTokenizer.from_pretrained("new").convert_tokens_to_ids("<extra_id_0>") == told["entries"] - 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nowhere", "--out", "new", "--for", "bert"), "nowhere"),
        (("old", "--out", "old", "--for", "bert"), "something is there already"),
        (("old", "--out", "new"), "no change is asked for"),
        (("old", "--out", "new", "--for", "rberta"), "did you mean 'roberta'"),
        (("old", "--out", "new", "--place", "<pad>"), "write TOKEN=ID"),
        (("old", "--out", "new", "--place", "<pad>=0,<pad>=1"), "given 0 and 1"),
        (("old", "--out", "new", "--place", "<pad>=400"), "ids 0 to 399"),
        (("old", "--out", "new", "--for", "roberta", "--rename", "a"), "write OLD=NEW"),
        (("old", "--out", "new", "--for", "roberta", "--text", "no.txt"), "no.txt"),
        (
            ("old", "--out", "new", "--for", "roberta", "--model", "old"),
            "give a folder that holds a trained model",
        ),
    ],
)
def test_bad_input_is_told_on_one_line(run: Run, gpt: Any, words: tuple[str, ...], told: str) -> None:
    before = sorted(Path().rglob("*"))
    answer = run("reindex", *words, code=2)
    assert told in answer and "\n" not in answer and answer.startswith("hornbook: ")
    assert sorted(Path().rglob("*")) == before
