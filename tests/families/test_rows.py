"""A model whose tokens got other ids does what it did: Hugging Face's own loss on the same text tells."""

import copy
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from hornbook.errors import HornbookError
from hornbook.families import find
from hornbook.families.rows import move_rows, origins

SIZE, ROWS = 100, 128
ROLES = {"pad": 2, "bos": 7, "eos": 0, "unk": 5, "mask": 9}
DROPPED = (3, 50, 99)
ROUNDING = 1e-6
"""Eight roundings of fp32: with other rows a softmax's sum is taken in another order, and machines differ in how."""


def shuffled(pad: int) -> dict[int, int | None]:
    """Map old ids to new ones in any order, with pad at `pad`, and three tokens dropped."""
    order = [i for i in range(SIZE) if i != pad]
    random.Random(pad).shuffle(order)
    order.insert(ROLES["pad"], pad)
    return {old: None if old in DROPPED else new for old, new in enumerate(order)}


def trained(small: Any) -> PreTrainedModel:
    """Build a model with padded rows and something in every weight, biases and pad rows as well."""
    config = copy.deepcopy(small.config)
    config.vocab_size = ROWS
    model = small.family.build(config, small.head, seed=1).eval()
    rng = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.1 * torch.randn(weight.shape, generator=rng)
    return model


def translated(batch: dict[str, Tensor], mapping: dict[int, int | None]) -> dict[str, Tensor]:
    table = torch.tensor([-1 if mapping[i] is None else mapping[i] for i in range(SIZE)])
    labels = batch["labels"]
    moved = {"input_ids": table[batch["input_ids"]], "labels": table[labels.clamp(min=0)]}
    moved["labels"][labels == -100] = -100
    return batch | moved


def without_dropped(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    return batch | {
        name: torch.where(torch.isin(batch[name], torch.tensor(DROPPED)), 42, batch[name])
        for name in ("input_ids", "labels")
    }


@pytest.fixture
def renamed(make_tokenizer: Any) -> Any:
    def make(mapping: dict[int, int | None]) -> PreTrainedTokenizerFast:
        return make_tokenizer(SIZE, **{role: mapping[i] for role, i in ROLES.items()})

    return make


@pytest.mark.parametrize("pad", [0, 1, 2, 11])
def test_the_loss_stays(small: Any, renamed: Any, pad: int) -> None:
    mapping = shuffled(pad)
    model, batch = trained(small), without_dropped(small.batch())
    before = copy.deepcopy(model.state_dict())
    moved = move_rows(model, mapping, renamed(mapping))
    with torch.no_grad():
        old, new = model(**batch).loss, moved(**translated(batch, mapping)).loss
    assert new.item() == pytest.approx(old.item(), rel=ROUNDING)
    # The control: it is the rows that do it.
    with torch.no_grad():
        assert abs(model(**translated(batch, mapping)).loss - old) > 1e-3
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())


def test_the_loss_stays_through_a_saved_folder(small: Any, renamed: Any, tmp_path: Path) -> None:
    mapping = shuffled(11)
    model, batch = trained(small), without_dropped(small.batch(3))
    move_rows(model, mapping, renamed(mapping)).save_pretrained(tmp_path)
    opened = small.family.open(tmp_path, small.head)
    with torch.no_grad():
        old, new = model(**batch).loss, opened(**translated(batch, mapping)).loss
    assert new.item() == pytest.approx(old.item(), rel=ROUNDING)
    assert opened.config.vocab_size == ROWS
    assert opened.config.pad_token_id == 11
    assert opened.config.eos_token_id == mapping[ROLES["eos"]]


def test_ties_stay_ties(small: Any, renamed: Any) -> None:
    def tied(model: PreTrainedModel) -> set[frozenset[str]]:
        places: dict[int, set[str]] = {}
        for name, weight in model.named_parameters(remove_duplicate=False):
            places.setdefault(weight.data_ptr(), set()).add(name)
        return {frozenset(names) for names in places.values()}

    model, mapping = trained(small), shuffled(0)
    assert tied(move_rows(model, mapping, renamed(mapping))) == tied(model)


def test_every_row_lives_on(small: Any, renamed: Any) -> None:
    model, mapping = trained(small), shuffled(1)
    moved = move_rows(model, mapping, renamed(mapping))
    old, new = model.get_input_embeddings().weight, moved.get_input_embeddings().weight
    for before, after in mapping.items():
        if after is not None:
            assert torch.equal(new[after], old[before])
    fresh = sorted(set(range(SIZE)) - set(mapping.values()))
    for after, before in zip(fresh, DROPPED, strict=True):  # in the order of ids, as is promised
        assert torch.equal(new[after], old[before])
    assert torch.equal(new[SIZE:], old[SIZE:])


def test_training_goes_on_alike(small: Any, renamed: Any) -> None:
    mapping = shuffled(11)
    model, batch = trained(small), without_dropped(small.batch())
    moved = move_rows(model, mapping, renamed(mapping))
    for one, seen in ((model, batch), (moved, translated(batch, mapping))):
        one(**seen).loss.backward()
    old, new = (one.get_input_embeddings().weight.grad for one in (model, moved))
    for after, before in origins(mapping).items():
        torch.testing.assert_close(new[after], old[before], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("pad", [0, 30])
def test_roberta_takes_texts_of_the_same_length(shrink: Any, renamed: Any, pad: int) -> None:
    small = shrink("roberta-base")
    mapping = shuffled(pad)
    model = trained(small)
    moved = move_rows(model, mapping, renamed(mapping))
    most = model.config.max_position_embeddings - ROLES["pad"] - 1
    assert moved.config.max_position_embeddings - pad - 1 == most
    old, new = (one.roberta.embeddings.position_embeddings.weight for one in (model, moved))
    assert torch.equal(new[pad:], old[ROLES["pad"] :])
    moved(input_ids=torch.full((1, most), 40))
    with pytest.raises((IndexError, RuntimeError)):
        moved(input_ids=torch.full((1, most + 1), 40))


def test_ids_of_generation_follow(shrink: Any, renamed: Any) -> None:
    small = shrink("tinystories-1m")
    model, mapping = trained(small), shuffled(4)
    model.generation_config.eos_token_id = [0, 60, 50]
    model.generation_config.bad_words_ids = [[10, 11], [12]]
    model.generation_config.suppress_tokens = [50, 70, 110]
    config = move_rows(model, mapping, renamed(mapping)).generation_config
    assert config.eos_token_id == [mapping[0], mapping[60]]
    assert config.bad_words_ids == [[mapping[10], mapping[11]], [mapping[12]]]
    assert config.suppress_tokens == [mapping[70], 110]
    assert config.pad_token_id == 4


def test_t5_starts_with_its_pad(shrink: Any, renamed: Any) -> None:
    small = shrink("t5-v1.1-tiny")
    model, mapping = trained(small), shuffled(13)
    moved = move_rows(model, mapping, renamed(mapping))
    assert moved.config.decoder_start_token_id == moved.generation_config.decoder_start_token_id == 13


def test_ids_beyond_the_rows_are_refused(small: Any, renamed: Any) -> None:
    model = find(small.preset).build(small.config, small.head, seed=1)
    mapping = {i: i for i in range(SIZE + 1)}
    with pytest.raises(HornbookError, match=r"ids up to 100, but the model has 100 rows"):
        move_rows(model, mapping, renamed(mapping))
