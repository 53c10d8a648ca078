"""How every step that computes with torch sets up a CPU."""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # from malloc.h
BLOCK = 2**25  # bytes, the most that every glibc takes; larger blocks are still given back
TRIM = 2**30  # bytes that may lie free at the top of the heap


def prepare(threads: int) -> None:
    """Fix the number of torch's threads (results depend on it), flush denormals, keep freed memory.

    Denormals made training slow, and once collapse, on a busy machine. glibc returns large blocks to the
    system when they are freed, and every step then pays for zeroing the same pages again: keeping them is
    worth about 10% of training speed. Results do not depend on it; other C libraries ignore it.
    """
    import torch

    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, BLOCK)
        mallopt(M_TRIM_THRESHOLD, TRIM)
