"""The process that keeps the store leaves last, so that the others can still learn what happened."""

import threading

import pytest
from torch.distributed import TCPStore

from hornbook.training.heartbeat import Heartbeat


@pytest.fixture
def pair(monkeypatch):
    """Make the hearts of ranks 0 and 1 of 3, in one process; rank 2 is gone."""
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", str(store.port))
    hearts = [Heartbeat(rank, 3) for rank in (0, 1)]
    yield hearts
    for heart in hearts:
        heart.stop()


def test_rank_0_waits_for_those_that_are_there(pair: list[Heartbeat]) -> None:
    first, second = pair
    leaving = threading.Thread(target=first.leave, args=([2],))
    leaving.start()
    leaving.join(1)
    assert leaving.is_alive()
    second.leave([2])  # the others wait for nobody
    leaving.join(1)
    assert not leaving.is_alive()


def test_rank_0_waits_for_nobody_that_is_gone(pair: list[Heartbeat]) -> None:
    leaving = threading.Thread(target=pair[0].leave, args=([1, 2],))
    leaving.start()
    leaving.join(1)
    assert not leaving.is_alive()
