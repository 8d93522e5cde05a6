"""Keep the memory of one step for the next."""

import ctypes
import os

from hornbook.machine import choose_heap, choose_huge_pages

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX, _ARENA_MAX = -1, -2, -4, -8  # glibc's malloc.h


def keep_heap() -> None:
    """Tell glibc to give no memory back and to map none for single tensors, and the kernel to use huge pages.

    By default every large tensor is mapped anew and returned when it is freed, so that each step faults all of its
    memory in again, page by page: for small models that takes longer than many a layer. Both are done as far as
    `choose_heap` and `choose_huge_pages` choose it, and raise HornbookError as these do. No result depends on it.
    """
    heap, pages = choose_heap(), choose_huge_pages()
    # PyTorch's own variable, read at its first large tensor.
    os.environ["THP_MEM_ALLOC_ENABLE"] = "1" if pages.chosen == "on" else "0"
    if heap.chosen == "leave":
        return
    libc = ctypes.CDLL(None)
    for option, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 2**26), (_ARENA_MAX, 1)):
        libc.mallopt(option, value)
