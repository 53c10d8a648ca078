"""Stage 1: versions, the card, and the two ceilings: a copy within the device and a large matrix product."""

import os
import platform
import subprocess
from functools import partial
from importlib.metadata import PackageNotFoundError, version

import torch

from benchmarks.gpu.record import Recorder
from benchmarks.gpu.timing import seconds
from scripts.common import cpu

PACKAGES = ("torch", "transformers", "triton", "numpy", "tokenizers", "safetensors", "scikit-learn")
# Dense bf16 operations per second by the vendors' datasheets; the first name that the card's own contains decides.
DATASHEET = {
    "H100 PCIe": 756e12,
    "H100 NVL": 835e12,
    "H100": 989e12,
    "H200": 989e12,
    "A100": 312e12,
}
QUERY = "name,driver_version,power.limit,clocks.sm,clocks.max.sm"


def datasheet(card: str) -> float | None:
    """Dense bf16 operations per second of a card by its name; None if it is not in the table."""
    return next((rate for name, rate in DATASHEET.items() if name in card), None)


def card(device: torch.device) -> str:
    """The device's name."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()


def run(record: Recorder, device: torch.device, full: bool) -> None:
    """Record versions, card, copy and products."""
    record.about = _about(device)
    copied = 2**32 if full else 2**26
    side = 8192 if full else 512
    times = 20 if full else 5
    record.run("versions", lambda: _versions(record, device), 0)
    record.run("copy", lambda: _copy(record, device, copied, times), 1)
    for name in ("fp32", "tf32", "bf16"):
        if device.type == "cpu" and (name == "tf32" or (name != "fp32" and cpu.precision("auto", device) == "fp32")):
            continue  # no such products on this processor
        case = f"product {name}"
        record.run(case, partial(_product, record, case, device, side, name, times), 2)


def _about(device: torch.device) -> dict[str, str]:
    about = {"python": platform.python_version(), "card": card(device), "cpus": str(os.cpu_count())}
    for package in PACKAGES:
        try:
            about[package] = version(package)
        except PackageNotFoundError:
            about[package] = "absent"
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        about |= {
            "cuda": str(torch.version.cuda),
            "cudnn": str(torch.backends.cudnn.version()),
            "nccl": ".".join(map(str, torch.cuda.nccl.version())),
            "capability": f"{properties.major}.{properties.minor}",
            "multiprocessors": str(properties.multi_processor_count),
        }
        about["nvidia-smi"] = _output(["nvidia-smi", f"--query-gpu={QUERY}", "--format=csv,noheader"])
    about["cublas workspace"] = os.environ.get("CUBLAS_WORKSPACE_CONFIG", "not set")
    about["commit"] = _output(["git", "rev-parse", "HEAD"])
    return about


def _output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError) as error:
        return f"unknown ({type(error).__name__})"


def _versions(record: Recorder, device: torch.device) -> None:
    if device.type == "cuda":
        record.add("card", "memory", torch.cuda.mem_get_info(device)[1] / 2**30, "GiB", note=card(device))
        peak = datasheet(card(device))
        if peak is not None:
            record.add("card", "datasheet bf16", peak / 1e12, "TFLOP/s")
    record.add("versions", "torch threads", torch.get_num_threads(), "", note=f"torch {torch.__version__}")


def _copy(record: Recorder, device: torch.device, size: int, times: int) -> None:
    source = torch.randint(-(2**31), 2**31 - 1, (size // 4,), dtype=torch.int32, device=device)
    target = torch.full_like(source, -1)
    elapsed = seconds(lambda: target.copy_(source), device, times)
    record.add(
        "copy",
        "bandwidth",
        [2 * size / one / 1e9 for one in elapsed],
        "GB/s",
        note="bytes read and written",
        headline=True,
    )
    equal = torch.equal(source, target)
    record.check("copy", "equal", equal, "", equal)


def _product(record: Recorder, case: str, device: torch.device, side: int, precision: str, times: int) -> None:
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    out = torch.full_like(a, float("nan"))
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    try:
        elapsed = seconds(lambda: torch.mm(a, b, out=out), device, times)
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before
    record.add(
        case,
        "rate",
        [2 * side**3 / one / 1e12 for one in elapsed],
        "TFLOP/s",
        note=f"{side} cubed, random",
        headline=True,
    )
    some = torch.randint(side, (16,), device=device)
    right = a[some].double() @ b.double()
    error = float((out[some].double() - right).norm() / right.norm())
    bound = {"fp32": 1e-4, "tf32": 2e-3, "bf16": 1e-2}[precision]
    record.check(case, "relative error", error, "", error < bound and bool(torch.isfinite(out).all()))
