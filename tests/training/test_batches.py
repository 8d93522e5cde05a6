"""Batches come out of new processes, which macOS and Windows start for workers, as out of forked ones."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from hornbook.objectives import Vocabulary
from hornbook.recipe import make_recipe
from hornbook.store import TokenStore
from hornbook.training.batches import Batches, load_batches
from hornbook.training.phases import plan_phases

TOKENS = 200_000


def in_files(folder: Path) -> TokenStore:
    """A store of numbered tokens, opened as `TokenStore.open` does."""
    np.arange(TOKENS, dtype=np.uint32).tofile(folder / "tokens.bin")
    np.save(folder / "sentences.npy", np.arange(0, TOKENS, 10))
    tokens = np.memmap(folder / "tokens.bin", np.uint32, mode="r")
    ends = np.arange(1000, TOKENS + 1, 1000)
    sentences = np.load(folder / "sentences.npy", mmap_mode="r")
    return TokenStore(folder, tokens, ends, np.ones_like(ends), sentences)


def in_memory(folder: Path) -> TokenStore:
    ends = np.arange(1000, TOKENS + 1, 1000)
    return TokenStore(folder, np.arange(TOKENS, dtype=np.uint32), ends, np.ones_like(ends))


@pytest.mark.parametrize(("make", "most"), [(in_files, 20_000), (in_memory, TOKENS * 5)])
def test_a_new_process_gets_the_files_and_not_what_is_in_them(make, most: int, tmp_path: Path) -> None:
    given = {"name": "x", "model": {"preset": "tinystories-1m", "length": 32}, "objective": "causal"}
    recipe, store = make_recipe(given | {"training": {"steps": 9, "batch": 3}}, []), make(tmp_path)
    nothing = np.array([], np.int64)
    vocabulary = Vocabulary(TOKENS, None, None, TOKENS, None, nothing, nothing, nothing)
    batches = Batches(store, plan_phases(recipe, store), recipe.objective, vocabulary)
    sent = pickle.dumps(batches)
    assert len(sent) < most
    there = pickle.loads(sent)
    for step in (0, 8):
        assert torch.equal(there[step][0]["input_ids"], batches[step][0]["input_ids"])
    if store.sentences is not None:
        assert np.array_equal(there.store.sentences, store.sentences)


class Makers(Batches):
    """Tells which process makes each batch."""

    def __init__(self) -> None:
        pass

    def __getitem__(self, step: int) -> list[dict[str, torch.Tensor]]:
        return [{"step": torch.tensor(step), "maker": torch.tensor(os.getpid())}]


@pytest.mark.parametrize("workers", [0, 2])
def test_as_many_workers_make_batches_as_were_asked_for(workers: int) -> None:
    made = [batch for [batch] in load_batches(Makers(), 3, 9, workers, pin=False)]
    assert [int(batch["step"]) for batch in made] == list(range(3, 9))
    makers = {int(batch["maker"]) for batch in made}
    assert len(makers) == workers and os.getpid() not in makers if workers else makers == {os.getpid()}
