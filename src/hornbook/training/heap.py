"""Keep the memory of one step for the next."""

import ctypes
import os
import platform

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX, _ARENA_MAX = -1, -2, -4, -8  # glibc's malloc.h


def keep_heap() -> None:
    """Tell glibc to give no memory back and to map none for single tensors, and the kernel to use large pages.

    By default every large tensor is mapped anew and returned when it is freed, so that each step faults all of its
    memory in again, page by page: for small models that takes longer than many a layer. Elsewhere than on Linux
    with glibc nothing happens.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # PyTorch's own, read at its first large tensor
    libc = ctypes.CDLL(None)
    for option, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 2**26), (_ARENA_MAX, 1)):
        libc.mallopt(option, value)
