"""How every step that computes with torch sets up a CPU, and what it and a GPU multiply in."""

import ctypes
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

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


def precision(asked: str, device: "torch.device") -> str:
    """What matrix products are computed in: bf16 or fp32 as asked; for auto, bf16 where the device has it.

    A CPU without instructions for bf16 (AVX512-BF16 or AMX, Arm's BF16) emulates it, 20 to 40 times slower than fp32:
    most processors sold for desks and laptops have none. The result's bytes depend on it.
    """
    import torch

    if asked != "auto":
        return asked
    if device.type == "cuda":
        has = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        has = any(there for name, there in torch.cpu.get_capabilities().items() if name.endswith("bf16"))
    return "bf16" if has else "fp32"
