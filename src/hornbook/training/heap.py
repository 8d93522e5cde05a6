"""Keep the memory of one step for the next one."""

import ctypes
import gc
import os
from contextlib import suppress

from hornbook.machine import choose_heap, choose_huge_pages

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -2, -3, -4, -8  # glibc's malloc.h


def give_back_heap() -> None:
    """Return freed memory to the system, where glibc is: so that what one training kept isn't counted for the next."""
    gc.collect()
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def keep_heap(sharded: bool = False) -> None:
    """Tell glibc to keep freed memory and never to map single tensors, and the kernel to use huge pages.

    By default glibc maps each large tensor anew, and returns it when it is freed. So each step has page faults for all
    of its memory, which for small models take longer than some layers. `choose_heap` and `choose_huge_pages` decide
    whether this is done, and raise HornbookError. No result depends on it. `sharded` is as in `choose_heap`.
    """
    heap, pages = choose_heap(sharded), choose_huge_pages()
    # PyTorch reads this variable at its first large tensor.
    os.environ["THP_MEM_ALLOC_ENABLE"] = "1" if pages.chosen == "on" else "0"
    if heap.chosen == "leave":
        if sharded:
            # Else glibc gives back only what is larger than 32 MB, and a layer's matrices are smaller.
            with suppress(AttributeError, OSError):
                ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, 2**17)
        return
    libc = ctypes.CDLL(None)
    for option, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 2**26), (_ARENA_MAX, 1)):
        libc.mallopt(option, value)
