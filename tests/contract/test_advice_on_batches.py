"""Advice on batches and modules of one's own, done to the letter: the check that gave it is silent then."""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest
import torch
from torch import Tensor, nn

from hornbook.contract import check_batch, check_run, probe_learning, probe_module
from hornbook.contract.given import DoctorInputs
from hornbook.contract.sample import SAMPLE
from hornbook.contract.subject import Subject
from hornbook.objectives import OBJECTIVES
from hornbook.objectives.masked import Masked
from tests.contract.test_batches import IGNORED, masked, rows, told
from tests.contract.test_probes import Bert, Causal, Swallowing, blocks, layer, next_word

FOLLOWED: set[str] = set()
"""The checks whose advice a test of this file follows."""
Test = TypeVar("Test", bound=Callable[..., None])


def advice(id: str) -> Callable[[Test], Test]:
    FOLLOWED.add(id)
    return lambda test: test


@pytest.fixture
def bert(ready: Any) -> Any:
    return ready("roberta-base")


@pytest.fixture
def gpt(ready: Any) -> Any:
    return ready("tinystories-1m")


def words(gpt: Any, pads: int = 0) -> Tensor:
    return torch.tensor([one[:20] + [gpt.tokenizer.pad_token_id] * pads for one in rows(gpt.tokenizer)])


@advice("C24")
def test_random_words_are_drawn_from_ids_that_are_not_special(bert: Any) -> None:
    batch = masked(bert.tokenizer)
    chosen = batch["labels"] != IGNORED
    wrong = batch | {"input_ids": torch.where(chosen, bert.tokenizer.pad_token_id, batch["input_ids"])}
    assert "C24" in told(check_batch(wrong, bert.tokenizer, "masked"))
    ordinary = sorted(set(range(len(bert.tokenizer))) - set(bert.tokenizer.all_special_ids))
    drawn = torch.tensor(ordinary)[torch.randint(len(ordinary), chosen.shape)]
    right = batch | {"input_ids": torch.where(chosen, drawn, batch["input_ids"])}
    assert "C24" not in told(check_batch(right, bert.tokenizer, "masked"))


@advice("C36")
def test_labels_are_ignored_where_there_is_padding(gpt: Any) -> None:
    ids = words(gpt, pads=4)
    assert "C36" in told(check_batch({"input_ids": ids, "labels": ids}, gpt.tokenizer, "causal"))
    labels = ids.masked_fill(ids == gpt.tokenizer.pad_token_id, IGNORED)
    labels[:, 19] = ids[:, 19] = gpt.tokenizer.eos_token_id
    assert told(check_batch({"input_ids": ids, "labels": labels}, gpt.tokenizer, "causal")) == {}


@advice("C46")
def test_labels_are_the_input(gpt: Any) -> None:
    ids = words(gpt)
    ids[:, 10] = gpt.tokenizer.eos_token_id
    shifted = torch.cat([ids[:, 1:], torch.full((len(ids), 1), IGNORED)], dim=1)
    assert "C46" in told(check_batch({"input_ids": ids, "labels": shifted}, gpt.tokenizer, "causal"))
    assert told(check_batch({"input_ids": ids, "labels": ids}, gpt.tokenizer, "causal")) == {}


@advice("C54")
def test_the_loss_of_kept_places_is_computed_by_oneself(gpt: Any) -> None:
    model, ids = gpt.family.build(gpt.config, gpt.head, 0).eval(), words(gpt)
    ids[:, 10] = gpt.tokenizer.eos_token_id
    kept = torch.arange(ids.shape[1] - 1)
    assert "C54" in told(
        check_batch({"input_ids": ids, "labels": ids, "logits_to_keep": kept}, gpt.tokenizer, "causal")
    )
    batch = {"input_ids": ids, "logits_to_keep": kept}
    assert told(check_batch(batch, gpt.tokenizer, "causal", model)) == {}
    own = nn.functional.cross_entropy(model(**batch).logits.flatten(0, 1), ids[:, 1:].flatten())
    assert own.item() == pytest.approx(model(input_ids=ids, labels=ids).loss.item(), rel=1e-5)


@advice("C59")
def test_the_mask_and_random_words_stand_at_labelled_places(bert: Any) -> None:
    batch = masked(bert.tokenizer)
    chosen = batch["labels"] != IGNORED
    plain = batch | {"input_ids": torch.where(chosen, batch["labels"], batch["input_ids"])}
    assert "C59" in told(check_batch(plain, bert.tokenizer, "masked"))
    dice = torch.rand(chosen.shape)
    ids = plain["input_ids"].masked_fill(chosen & (dice < 0.8), bert.tokenizer.mask_token_id)
    drawn = torch.randint(10, 500, chosen.shape)  # ordinary words of this tokenizer
    ids = torch.where(chosen & (dice >= 0.8) & (dice < 0.9), drawn, ids)
    assert told(check_batch(plain | {"input_ids": ids}, bert.tokenizer, "masked")) == {}


@advice("H05")
def test_only_declared_keys_are_given(bert: Any) -> None:
    model, batch = bert.family.build(bert.config, bert.head, 0), masked(bert.tokenizer)
    odd = batch | {"attention_masks": batch["attention_mask"]}
    assert "H05" in told(check_batch(odd, bert.tokenizer, "masked", model))
    assert "H05" not in told(check_batch(batch, bert.tokenizer, "masked", model))


@advice("H06")
def test_the_mask_is_made_from_the_lengths(bert: Any) -> None:
    batch = masked(bert.tokenizer)
    del batch["attention_mask"]
    assert "H06" in told(check_batch(batch, bert.tokenizer, "masked"))
    lengths = torch.tensor([len(one) for one in rows(bert.tokenizer, 16)])
    mask = (torch.arange(batch["input_ids"].shape[1]) < lengths[:, None]).long()
    assert "H06" not in told(check_batch(batch | {"attention_mask": mask}, bert.tokenizer, "masked"))


@advice("C48")
def test_positions_begin_behind_the_pad_id(bert: Any) -> None:
    model, batch = bert.family.build(bert.config, bert.head, 0).eval(), masked(bert.tokenizer)
    places = torch.arange(batch["input_ids"].shape[1]).expand_as(batch["input_ids"])
    wrong = batch | {"position_ids": places}
    assert "C48" in told(check_batch(wrong, bert.tokenizer, "masked", model))
    right = batch | {"position_ids": places + bert.tokenizer.pad_token_id + 1}
    assert "C48" not in told(check_batch(right, bert.tokenizer, "masked", model))
    assert torch.allclose(model(**right).loss, model(**batch).loss, atol=1e-5)


@advice("C49")
def test_embeddings_come_with_positions(bert: Any) -> None:
    model = bert.family.build(bert.config, bert.head, 0).eval()
    ids = torch.tensor([rows(bert.tokenizer)[0][:12]])
    padded = nn.functional.pad(ids, (4, 0), value=bert.tokenizer.pad_token_id)
    mask = (padded != bert.tokenizer.pad_token_id).long()
    wrong = {"inputs_embeds": model.get_input_embeddings()(padded), "attention_mask": mask}
    assert "C49" in told(check_batch(wrong, bert.tokenizer, "masked", model))
    pad = bert.tokenizer.pad_token_id
    right = wrong | {"position_ids": mask.cumsum(1) * mask + pad}
    assert "C49" not in told(check_batch(right, bert.tokenizer, "masked", model))
    with torch.no_grad():
        assert torch.allclose(model(**right).logits[:, 4:], model(input_ids=ids).logits, atol=1e-5)


@advice("P05")
def test_batches_of_the_objectives_are_right(bert: Any) -> None:
    assert "P05" in told(
        check_batch(masked(bert.tokenizer), bert.tokenizer, "masked", objective=Masked(rate=0.6))
    )
    given = DoctorInputs(
        tokenizer=bert.tokenizer, objective=Masked(rate=0.6), length=bert.length, texts=SAMPLE * 20
    )
    batch = Subject(given).learning_batch
    assert batch is not None
    assert told(check_batch(batch, bert.tokenizer, "masked", objective=Masked(rate=0.6))) == {}


@advice("C43")
def test_the_mask_is_used() -> None:
    """torch's is true where there is no token: `Bert.forward` turns it round."""
    assert "C43" in told(probe_module(Swallowing(blocks()), "masked"))
    assert told(probe_module(Bert(blocks()), "masked")) == {}


@advice("C51")
def test_each_block_is_made() -> None:
    assert "C51" in told(probe_module(Bert(nn.ModuleList([layer()] * 3)), "masked"))
    made = Bert(nn.ModuleList([layer() for _ in range(3)]))
    assert told(probe_module(made, "masked")) == {}


@advice("C52")
def test_the_batch_comes_first() -> None:
    # Without a mask, which would have another shape.
    def bert(batch_first: bool) -> nn.Module:
        return Swallowing(nn.ModuleList([layer(batch_first), layer(batch_first)]))

    assert "C52" in told(probe_module(bert(False), "masked"))
    assert "C52" not in told(probe_module(bert(True), "masked"))


@pytest.mark.long
@advice("P04")
def test_what_is_to_be_predicted_is_hidden() -> None:
    torch.manual_seed(0)
    words = range(10, 20)
    assert "P04" in told(probe_learning(Causal(blocks(), masked=False), next_word, words, steps=250))
    assert told(probe_learning(Causal(blocks(), masked=True), next_word, words, steps=60)) == {}


@advice("P03")
def test_what_is_no_padding_is_not_called_so(ready: Any) -> None:
    made = ready("pythia-14m")
    model = made.family.build(made.config, made.head, 0)
    model.gpt_neox.embed_in.padding_idx = made.tokenizer.eos_token_id
    causal = OBJECTIVES["causal"]()
    assert "P03" in told(check_run(made.config, made.tokenizer, causal, 64, model))
    model.gpt_neox.embed_in.padding_idx = None
    assert told(check_run(made.config, made.tokenizer, causal, 64, model)) == {}
