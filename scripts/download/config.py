"""The configuration's section `download`."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le, MinLen

from scripts.common.bounds import Pattern, Text, Unique

BaseUrls = Annotated[tuple[Annotated[str, Pattern("^https?://")], ...], MinLen(1)]


@dataclass(frozen=True)
class RetryPolicy:
    """When to retry a download and when to give up."""

    attempts: Annotated[int, Ge(1), Le(1_000_000)]
    """failures in a row, without a byte between them, after which a URL is given up"""
    longest_wait: Annotated[float, Ge(0), Le(86_400)]
    """longest wait between two attempts in seconds; waits double from 1 up to it, or follow Retry-After"""
    timeout: Annotated[float, Gt(0), Le(86_400)]
    """seconds without an answer or a byte that count as a failure"""
    slowest: Annotated[float, Ge(0), Le(1e12)]
    """bytes per second, over `timeout` seconds; a slower connection counts as failed"""


@dataclass(frozen=True)
class Download(RetryPolicy):
    """Other people's data: where it is put and how long a download waits."""

    folder: Text
    """where downloads are put; relative to the repository, or absolute"""
    datasets: Annotated[tuple[str, ...], Unique()]
    """what `snakemake download` fetches: names in resources/datasets.yaml"""
    hosts: dict[str, BaseUrls]
    """host in resources/datasets.yaml -> base URLs instead of it, tried in turn (mirrors)"""
    spare_gb: Annotated[float, Ge(0), Le(1e9)]
    """gigabytes that are left free on the disk"""
