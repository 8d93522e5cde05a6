"""Objectives as collators: the batches of training, in anybody's loop."""

import pickle
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset
from torch.utils.data import DataLoader
from transformers import Trainer, TrainingArguments

import hornbook
from hornbook.errors import HornbookError
from hornbook.families import find
from hornbook.objectives import IGNORED, OBJECTIVES
from hornbook.objectives.collator import Collator
from hornbook.rng import CounterRNG
from hornbook.testing import Case, make_stories
from hornbook.training.batches import Batches
from hornbook.training.phases import PlannedPhase

LENGTH = 32
KINDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "masked": ("roberta-base", "masked", {}),
    "whole words": ("bert-tiny", "masked", {"whole_words": True, "exact": True, "short": 0.0}),
    "next sentence": ("bert-tiny", "masked_next_sentence", {}),
    "sentence order": ("albert-base-v2", "masked_sentence_order", {}),
    "spans": ("t5-small", "span_corruption", {}),
    "denoisers": ("t5-small", "denoisers", {}),
    "decoder": ("tinystories-1m", "denoisers", {"form": "decoder-only"}),
    "causal": ("tinystories-1m", "causal", {}),
    "documents": ("tinystories-1m", "causal", {"document_mask": True}),
}


def case_of(kind: str) -> Case:
    preset, objective, options = KINDS[kind]
    return Case(find(preset), preset, OBJECTIVES[objective](**options))


def collator_of(kind: str, seed: int = 0) -> Collator:
    _, objective, options = KINDS[kind]
    return hornbook.collator(objective, case_of(kind).tokenizer, LENGTH, seed, **options)


def examples_of(kind: str) -> Dataset:
    collate = collator_of(kind)
    texts = Dataset.from_dict({"text": make_stories(24)})
    return texts.map(collate.cut, batched=True, remove_columns=["text"])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "sentence" not in kind])
def test_batches_are_those_of_training(kind: str) -> None:
    case, collate = case_of(kind), collator_of(kind, seed=3)
    store, _ = case.arrays
    plan = case.objective.plan(store, LENGTH, 8, 3)
    batches = Batches(store, [PlannedPhase(LENGTH, plan, 4)], case.objective, case.vocabulary)
    for step in range(3):
        (trained,) = batches[step]
        windows = store.windows(plan.starts(step), collate.window)
        examples: list[dict[str, Any]] = [{"input_ids": row.tolist()} for row in windows]
        if case.objective.words:
            begins = store.word_windows(plan.starts(step), collate.window)
            examples = [one | {"words": row.tolist()} for one, row in zip(examples, begins, strict=True)]
        made = collate(examples)
        assert made.keys() == trained.keys()
        for name, tensor in trained.items():
            assert torch.equal(made[name], tensor), (step, name)
        again = collate(examples if case.objective.words else list(windows), step=step)
        assert all(torch.equal(one, made[name]) for name, one in again.items())
        collate.calls = step + 1


@pytest.mark.parametrize("kind", ["next sentence", "sentence order"])
def test_pairs_are_those_of_training(kind: str) -> None:
    case, collate, texts = case_of(kind), collator_of(kind, seed=3), make_stories(8)
    store = case.store(texts)
    chunking = case.objective.chunking(store, LENGTH)
    made = collate(list(Dataset.from_dict(collate.cut({"text": texts}))))
    begins = np.concatenate([[0], store.ends[:-1]])
    draws = CounterRNG(3, 0, np.arange(8)).uniform("stretch", 1)[:, 0]
    starts = []
    for begin, end, draw in zip(begins, store.ends, draws, strict=True):
        own = [start for start in chunking.starts(np.arange(chunking.count)) if begin <= start < end]
        starts.append(own[int(draw * len(own))])
    trained = case.objective.read(
        store, chunking, np.array(starts), case.vocabulary, CounterRNG(3, 0, np.arange(8))
    )
    assert made.keys() == trained.keys()
    for name, array in trained.items():
        assert np.array_equal(made[name], array), name


@pytest.mark.parametrize("kind", ["masked", "spans", "denoisers", "causal"])
def test_shorter_examples_are_filled_up(kind: str) -> None:
    collate = collator_of(kind)
    words = collate.vocabulary.words[:20].tolist()
    made = collate([words, words[:9], words[:9]])
    assert kind == "denoisers" or (made["attention_mask"].sum(1).diff() < 0).tolist() == [True, False]
    dark = made["attention_mask"] == 0
    assert dark.any()
    if made["labels"].shape == dark.shape:
        assert (made["labels"][dark] == IGNORED).all()
    model = case_of(kind).model().eval()
    cache = {} if kind == "masked" else {"use_cache": False}
    with torch.no_grad():  # what is filled up moves nothing
        loss = model(**made, **cache).loss
        filled = made | {"input_ids": made["input_ids"].masked_fill(dark, words[3])}
        if kind != "masked":  # RoBERTa's class counts positions by the pad id
            assert torch.allclose(loss, model(**filled, **cache).loss, atol=1e-6)
    assert torch.isfinite(loss)


@pytest.mark.long
@pytest.mark.parametrize(
    "kind", ["whole words", "masked", "next sentence", "sentence order", "spans", "denoisers", "causal"]
)
def test_a_real_trainer(kind: str, tmp_path: Path) -> None:
    keeps = kind in ("whole words", "next sentence", "sentence order")  # as docs/trainer.md says
    model = case_of(kind).model()
    arguments = TrainingArguments(
        str(tmp_path),
        max_steps=2,
        per_device_train_batch_size=4,
        use_cpu=True,
        report_to=[],
        logging_steps=1,
        save_strategy="no",
        disable_tqdm=True,
        remove_unused_columns=not keeps,
    )
    trainer = Trainer(model, arguments, train_dataset=examples_of(kind), data_collator=collator_of(kind))
    trainer.train()
    losses = [line["loss"] for line in trainer.state.log_history if "loss" in line]
    assert len(losses) == 2 and all(3 < loss < 9 for loss in losses)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["whole words", "next sentence", "spans"])
def test_lightning(kind: str, tmp_path: Path) -> None:
    """A LightningModule of one's own, whose loader makes the batches."""
    lightning = pytest.importorskip("lightning", reason="Lightning is not installed: pip install lightning")

    class Own(lightning.LightningModule):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.model, self.losses = case_of(kind).model(), []

        def training_step(self, batch: Any, number: int) -> Any:
            loss = self.model(**batch).loss
            self.losses.append((batch, float(loss)))
            return loss

        def configure_optimizers(self) -> Any:
            return torch.optim.AdamW(self.parameters(), 1e-4)

    examples, own = examples_of(kind), Own()
    trainer = lightning.Trainer(
        max_steps=2, accelerator="cpu", logger=False, enable_checkpointing=False, default_root_dir=tmp_path
    )
    trainer.fit(own, DataLoader(examples, 4, collate_fn=collator_of(kind)))
    for step, (batch, loss) in enumerate(own.losses):
        made = collator_of(kind)(list(examples.select(range(4 * step, 4 * step + 4))), step=step)
        assert made.keys() == batch.keys() and all(torch.equal(batch[name], made[name]) for name in made)
        assert 3 < loss < 9
    assert len(own.losses) == 2


@pytest.mark.long
def test_a_loader_with_workers() -> None:
    def epochs(workers: int) -> list[list[torch.Tensor]]:
        torch.manual_seed(5)
        loader = DataLoader(
            list(examples_of("masked"))[:12], 3, collate_fn=collator_of("masked"), num_workers=workers
        )
        return [[batch["input_ids"] for batch in loader] for _ in range(2)]

    (first, second), again = epochs(2), epochs(2)
    assert len(first) == 4
    assert all(torch.equal(a, b) for a, b in zip([*first, *second], [*again[0], *again[1]], strict=True))
    assert not any(
        torch.equal(a, b) for a, b in zip(first, second, strict=True)
    )  # each epoch has masks of its own


@pytest.mark.parametrize("kind", ["masked", "bert", "spans", "denoisers"])
def test_examples_that_a_tokenizer_framed(kind: str) -> None:
    """`tokenizer(text)` frames a text, and the objective does so too: the model must not read both."""
    collate = (
        hornbook.collator("masked", case_of("next sentence").tokenizer, LENGTH)
        if kind == "bert"
        else (collator_of(kind))
    )
    tokenizer, texts = (
        collate.tokenizer,
        ["Tom saw a bird.", "A red bird sang.", "Tom gave it a nut, and then more."],
    )
    plain = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
    framed = [tokenizer(text) for text in texts]
    assert all(len(one["input_ids"]) > len(bare) for one, bare in zip(framed, plain, strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        wanted = collate(plain, step=0)
    frames = ", ".join(tokenizer.convert_ids_to_tokens(tokenizer("")["input_ids"]))
    with pytest.warns(UserWarning, match=re.escape(f"special tokens already ({frames})")) as told:
        made = collate(framed, step=0)
    assert len(told) == 1
    filled = tokenizer(texts, padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt")
    tokenizer.padding_side = "left"
    left = tokenizer(texts, padding=True)
    tokenizer.padding_side = "right"
    for rows in (framed, [one["input_ids"] for one in framed]):
        made = collate(rows, step=0)
        assert made.keys() == wanted.keys()
        assert all(torch.equal(made[name], wanted[name]) for name in wanted)
    for batch in (filled, left):
        columns = ({name: batch[name][row] for name in batch} for row in range(3))
        made = collate(list(columns), step=0)
        assert all(torch.equal(made[name], wanted[name]) for name in wanted)


@pytest.mark.filterwarnings("ignore:examples have special tokens")
def test_special_tokens_inside_an_example_are_refused() -> None:
    collate = hornbook.collator("masked", case_of("next sentence").tokenizer, LENGTH)
    framed, said = (
        collate.tokenizer("A bird.")["input_ids"],
        r"has \[CLS\] among its tokens.*add_special_tokens=False",
    )
    with pytest.raises(HornbookError, match=said):
        collate([[*framed, *framed]])  # as run_mlm.py puts texts together
    with pytest.raises(HornbookError, match=r"has \[PAD\] among"):
        collate([[*framed, *[collate.tokenizer.pad_token_id] * 3]])
    with pytest.raises(HornbookError, match=r"has \[MASK\] among"):
        collate([[*framed[1:-1], collate.tokenizer.mask_token_id]])
    with pytest.raises(HornbookError, match=said):
        collator_of("next sentence")([{"input_ids": framed * 4, "sentences": [0]}] * 2)
    end = collate.tokenizer.sep_token_id
    words = collate.vocabulary.words[: collate.window - 1].tolist()
    assert (collate([[*words, end]] * 3, step=0)["input_ids"] == end).any(1).all()  # as `cut` ends a document


def test_it_can_be_pickled() -> None:
    collate = collator_of("spans")
    rows = [collate.vocabulary.words[: collate.window].tolist()] * 3
    again = pickle.loads(pickle.dumps(collate))
    first, second = collate(rows), again(rows)
    assert all(torch.equal(one, second[name]) for name, one in first.items())
    assert not torch.equal(collate(rows)["input_ids"], first["input_ids"])  # the second call draws anew


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    masked = case_of("masked").tokenizer
    with pytest.raises(HornbookError, match="did you mean 'span_corruption'"):
        hornbook.collator("span_coruption", masked)
    with pytest.raises(HornbookError, match="no option rat"):
        hornbook.collator("masked", masked, rat=0.3)
    with pytest.raises(HornbookError, match=r"^masked: rate: input should be less than 1, not 3"):
        hornbook.collator("masked", masked, rate=3)
    said = r"0 sentinels: set sentinels of hornbook\.tokenizer\.train to \d+ or more, or shorten length$"
    with pytest.raises(HornbookError, match=said) as found:
        hornbook.collator("span_corruption", case_of("causal").tokenizer)
    needed = int(re.findall(r"to (\d+) or more", str(found.value))[0])
    hornbook.tokenizer.train(make_stories(40), tmp_path / "own", vocab_size=400, sentinels=needed)
    own = hornbook.collator(
        "span_corruption", tmp_path / "own"
    )  # the advice, and a folder in a tokenizer's place
    assert (
        repr(own)
        == "<Collator: span corruption (density 0.15, mean span 3), length 512, of 568 tokens of text, seed 0>"
    )
    with pytest.raises(HornbookError, match=r"use hornbook\.train"):
        hornbook.collator("replaced_tokens", case_of("next sentence").tokenizer)
    with pytest.raises(HornbookError, match="duplicates"):
        hornbook.collator("masked", masked, duplicates=10)
    collate = hornbook.collator("masked", masked, LENGTH)
    with pytest.raises(HornbookError, match="has 40 tokens, and masked takes 30"):
        collate([[7] * 40])
    with pytest.raises(HornbookError, match=r"batched=True to datasets\.map"):
        collate.cut({"text": "One text, as map gives it without batched=True."})  # type: ignore[dict-item]
    pairs = collator_of("next sentence")
    with pytest.raises(HornbookError, match="remove_unused_columns=False"):
        pairs([{"input_ids": [1, 2, 3]}])
    with pytest.raises(HornbookError, match="drop_last"):
        pairs([{"input_ids": [7, 8, 9], "sentences": [0]}])


@pytest.mark.parametrize("kind", ["masked", "whole words", "spans"])
def test_a_special_token_in_a_text_is_text(kind: str) -> None:
    """Who writes about tokenizers has `<mask>` in the text: it hides nothing there."""
    collate = collator_of(kind)
    token = collate.tokenizer.mask_token or "<extra_id_0>"
    rows = collate.cut({"text": [f"Once {token} upon a time."] * 40})["input_ids"]
    assert rows and collate.tokenizer.convert_tokens_to_ids(token) not in {one for row in rows for one in row}


@pytest.mark.long
def test_texts_that_nobody_tokenized(tmp_path: Path) -> None:
    """What the Trainer says of them is on the page; where it lets them pass, the collator says what to do."""
    texts = Dataset.from_dict({"text": make_stories(40), "source": ["made up"] * 40})
    collate, model = collator_of("spans"), case_of("spans").plain(case_of("spans").model())

    def trainer(data: Dataset, keep: bool) -> Trainer:
        options = TrainingArguments(
            str(tmp_path), max_steps=1, report_to=[], use_cpu=True, remove_unused_columns=not keep
        )
        return Trainer(model, options, train_dataset=data, data_collator=collate)

    with pytest.raises(
        ValueError, match="No columns in the dataset match the model's forward method signature"
    ):
        trainer(texts, keep=False).train()
    page = (Path(__file__).parents[2] / "docs" / "trainer.md").read_text("utf-8")
    assert "No columns in the dataset match the model's forward method signature" in page
    with pytest.raises(
        HornbookError, match=r"an example has text, source, and the collator takes `input_ids`"
    ) as said:
        trainer(texts, keep=True).train()
    advice = str(said.value).rsplit(" by ", 1)[1]
    cut = eval(advice, {"dataset": texts, "collate": collate})
    trainer(cut, keep=True).train()
    with pytest.raises(HornbookError, match="an example is a text"):
        collate(["A text."])
    with pytest.raises(HornbookError, match="an example has no columns"):
        collate([{}])
