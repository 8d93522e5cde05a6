"""Batches that are computed side by side give what they give one by one."""

import threading
from collections.abc import Iterator

import pytest
import torch

from hornbook.evaluation.parallel import side_by_side

CPU = torch.device("cpu")


@pytest.fixture(params=[1, 3])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_results_come_in_the_order_of_the_batches(threads: int) -> None:
    """The second waits in vain for no other: each batch may end before or after its neighbours."""
    second = threading.Event()

    def work(batch: int) -> int:
        if threads > 1 and batch == 0:
            assert second.wait(20)  # so that the first ends last, and is computed while the second is
        if batch == 1:
            second.set()
        return batch * batch

    assert list(side_by_side(work, range(20), CPU)) == [one * one for one in range(20)]


def test_each_batch_has_one_thread_and_no_gradients_and_the_number_comes_back(threads: int) -> None:
    def work(_: int) -> tuple[int, bool]:
        return torch.get_num_threads(), torch.is_inference_mode_enabled()

    assert list(side_by_side(work, range(4), CPU)) == [(1, True)] * 4
    assert torch.get_num_threads() == threads
    assert not torch.is_inference_mode_enabled()


def test_an_error_of_a_batch_is_raised_and_the_rest_is_left(threads: int) -> None:
    begun = []

    def work(batch: int) -> None:
        begun.append(batch)
        raise ValueError(batch)

    with pytest.raises(ValueError, match="0"):
        list(side_by_side(work, range(100), CPU))
    assert torch.get_num_threads() == threads
    assert len(begun) < 100


def test_a_device_that_is_no_cpu_computes_one_by_one() -> None:
    names = set(side_by_side(lambda _: threading.current_thread().name, range(5), torch.device("meta")))
    assert names == {threading.current_thread().name}
