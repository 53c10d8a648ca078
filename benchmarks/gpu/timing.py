"""Timing with warm-up, spread and the device's own clock; the largest kernels of a profile."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile


def synchronize(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds(step: Callable[[], Any], device: torch.device, times: int, warm: int = 2) -> list[float]:
    """Seconds of each of `times` calls after `warm` others; on a GPU between two events around the call."""
    for _ in range(warm):
        step()
    elapsed = []
    for _ in range(times):
        synchronize(device)
        if device.type == "cuda":
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            begin.record()
            step()
            end.record()
            synchronize(device)
            elapsed.append(begin.elapsed_time(end) / 1000)
        else:
            began = time.perf_counter()
            step()
            elapsed.append(time.perf_counter() - began)
    return elapsed


class Kernel(NamedTuple):
    """All calls of one kernel in a profile (on a CPU: of one operator), without what it calls itself."""

    name: str
    seconds: float
    calls: int


def kernels(step: Callable[[], Any], device: torch.device) -> list[Kernel]:
    """Every kernel of one call, the longest first; copies and fills count as kernels."""
    cuda = device.type == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if cuda else [])]
    with profile(activities=activities) as profiled:
        step()
        synchronize(device)
    averages = profiled.key_averages()
    if cuda:
        measured = [
            Kernel(event.key, event.self_device_time_total / 1e6, event.count)
            for event in averages
            if event.device_type == DeviceType.CUDA and not event.is_user_annotation  # which spans kernels
        ]
    else:
        measured = [Kernel(event.key, event.self_cpu_time_total / 1e6, event.count) for event in averages]
    return sorted((kernel for kernel in measured if kernel.seconds > 0), key=lambda kernel: -kernel.seconds)
