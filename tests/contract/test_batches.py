"""Batches of one's own: each mistake is named, and a batch that is right is silent."""

from typing import Any

import pytest
import torch
from transformers import DataCollatorForLanguageModeling

from hornbook.contract import Report, check_batch
from hornbook.objectives.masked import Masked

IGNORED = -100


def told(report: Report) -> dict[str, str]:
    return {one.id: one.found for one in report.problems}


@pytest.fixture
def bert(ready: Any) -> Any:
    return ready("roberta-base")


@pytest.fixture
def gpt(ready: Any) -> Any:
    return ready("tinystories-1m")


def rows(tokenizer: Any, count: int = 8) -> list[list[int]]:
    text = "The value of the object is the name of the class and the type of the function that it has in it."
    return [tokenizer(text).input_ids[: 20 + number] for number in range(count)]


def masked(tokenizer: Any, **changes: Any) -> dict[str, Any]:
    torch.manual_seed(0)
    collate = DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.15)
    made = dict(
        collate([{"input_ids": one, "attention_mask": [1] * len(one)} for one in rows(tokenizer, 16)])
    )
    return made | changes


def test_the_collator_of_hugging_face_is_right(bert: Any) -> None:
    batch = masked(bert.tokenizer)
    # Of its random words, some are special where the vocabulary is as small as this: not its fault here.
    report = check_batch(batch, bert.tokenizer, "masked", objective=Masked())
    assert not set(told(report)) - {"C24"}
    assert {"C24", "C36", "C59", "P05", "H06"} <= set(report.checked)


def test_a_mask_that_masks_nothing(bert: Any) -> None:
    batch = masked(bert.tokenizer)
    plain = torch.where(batch["labels"] != IGNORED, batch["labels"], batch["input_ids"])
    assert "100% of the" in told(check_batch(batch | {"input_ids": plain}, bert.tokenizer, "masked"))["C59"]


def test_special_tokens_as_random_words(bert: Any) -> None:
    batch = masked(bert.tokenizer)
    inputs = torch.where(batch["labels"] != IGNORED, bert.tokenizer.pad_token_id, batch["input_ids"])
    assert "<pad>" in told(check_batch(batch | {"input_ids": inputs}, bert.tokenizer, "masked"))["C24"]


def test_another_rate_than_asked(bert: Any) -> None:
    assert (
        "asked"
        in told(check_batch(masked(bert.tokenizer), bert.tokenizer, "masked", objective=Masked(rate=0.6)))[
            "P05"
        ]
    )


def test_the_frame_among_the_labels(bert: Any) -> None:
    batch = masked(bert.tokenizer)
    labels = batch["labels"].clone()
    labels[:, 0] = bert.tokenizer.cls_token_id
    assert "<s>" in told(check_batch(batch | {"labels": labels}, bert.tokenizer, "masked"))["P05"]


def test_padding_among_the_labels(gpt: Any) -> None:
    ids = torch.tensor([one[:20] + [gpt.tokenizer.pad_token_id] * 4 for one in rows(gpt.tokenizer)])
    assert "C36" in told(check_batch({"input_ids": ids, "labels": ids}, gpt.tokenizer, "causal"))


def test_padding_that_nothing_hides(bert: Any) -> None:
    batch = masked(bert.tokenizer)
    del batch["attention_mask"]
    assert "H06" in told(check_batch(batch, bert.tokenizer, "masked"))


def test_labels_shifted_twice(gpt: Any) -> None:
    ids = torch.tensor([one[:20] for one in rows(gpt.tokenizer)])
    ids[:, 10] = gpt.tokenizer.eos_token_id
    shifted = torch.cat([ids[:, 1:], torch.full((len(ids), 1), IGNORED)], dim=1)
    assert "C46" in told(check_batch({"input_ids": ids, "labels": shifted}, gpt.tokenizer, "causal"))
    assert not told(check_batch({"input_ids": ids, "labels": ids}, gpt.tokenizer, "causal"))


def test_no_end_among_the_labels(gpt: Any) -> None:
    ids = torch.tensor([one[:20] for one in rows(gpt.tokenizer)])
    assert (
        "never a label"
        in told(check_batch({"input_ids": ids, "labels": ids}, gpt.tokenizer, "causal"))["P05"]
    )


def test_labels_with_logits_to_keep(gpt: Any) -> None:
    ids = torch.tensor([one[:20] for one in rows(gpt.tokenizer)])
    batch = {"input_ids": ids, "labels": ids, "logits_to_keep": torch.tensor([1])}
    assert "C54" in told(check_batch(batch, gpt.tokenizer, "causal"))


def test_a_misspelt_key(bert: Any) -> None:
    model = bert.family.build(bert.config, bert.head, 0)
    batch = masked(bert.tokenizer)
    assert "H05" not in told(check_batch(batch, bert.tokenizer, "masked", model))
    batch["attention_masks"] = batch["attention_mask"]
    assert "attention_masks" in told(check_batch(batch, bert.tokenizer, "masked", model))["H05"]


def test_positions_that_start_at_zero(bert: Any) -> None:
    model = bert.family.build(bert.config, bert.head, 0)
    batch = masked(bert.tokenizer)
    places = torch.arange(batch["input_ids"].shape[1]).expand_as(batch["input_ids"])
    assert "C48" in told(check_batch(batch | {"position_ids": places}, bert.tokenizer, "masked", model))
    later = places + bert.tokenizer.pad_token_id + 1
    assert "C48" not in told(check_batch(batch | {"position_ids": later}, bert.tokenizer, "masked", model))


def test_embeddings_with_padding_on_the_left(bert: Any) -> None:
    model = bert.family.build(bert.config, bert.head, 0)
    batch = {
        "inputs_embeds": torch.zeros(2, 6, 32),
        "attention_mask": torch.tensor([[0, 1, 1, 1, 1, 1], [1] * 6]),
    }
    assert "C49" in told(check_batch(batch, bert.tokenizer, "masked", model))
    assert "C49" not in told(
        check_batch(batch | {"position_ids": torch.arange(1, 7)[None]}, bert.tokenizer, "masked", model)
    )


def test_a_seq2seq_batch_without_sentinels(ready: Any) -> None:
    t5 = ready("t5-small")
    ids = torch.tensor([one[:16] for one in rows(t5.tokenizer)])
    labels = ids.clone()
    labels[:, -1] = t5.tokenizer.eos_token_id
    assert (
        "sentinel" in told(check_batch({"input_ids": ids, "labels": labels}, t5.tokenizer, "seq2seq"))["P05"]
    )
