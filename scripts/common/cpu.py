"""Set up torch on a CPU, and choose the precision of matrix products."""

import ctypes
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # from malloc.h
BLOCK = 2**25  # bytes, the largest value that all versions of glibc accept; larger blocks are still returned
TRIM = 2**30  # bytes that may stay free at the top of the heap


def prepare(threads: int) -> None:
    """Fix the number of torch's threads (results depend on it), flush denormals, keep freed memory.

    Denormals slow training down. glibc returns large freed blocks to the system, so every step zeroes the same pages
    again: keeping them makes training about 10% faster. Results do not depend on it; other C libraries ignore it.
    """
    import torch

    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, BLOCK)
        mallopt(M_TRIM_THRESHOLD, TRIM)


def precision(setting: str, device: "torch.device") -> str:
    """The precision of matrix products: bf16 or fp32 as set; for auto, bf16 if the device supports it.

    A CPU without instructions for bf16 (AVX512-BF16 or AMX, Arm's BF16), as in most desktops and laptops, emulates it
    20 to 40 times slower than fp32. The bytes of the results depend on the precision.
    """
    import torch

    if setting != "auto":
        return setting
    if device.type == "cuda":
        supported = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        capabilities = torch.cpu.get_capabilities()
        supported = any(present for name, present in capabilities.items() if name.endswith("bf16"))
    return "bf16" if supported else "fp32"
