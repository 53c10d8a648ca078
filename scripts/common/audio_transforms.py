"""Lhotse's lazy transforms of a recording (`recording.transforms`), as far as they can be computed exactly.

`Resample` and `Speed` are resampling and `Volume` is a factor, whoever computes them; times in a cut are those after
all transforms. The others depend on a program (Tempo, Compress, Narrowband), on random numbers or another recording
(ReverbWithImpulseResponse), or on how much of the recording is loaded (LoudnessNormalization, Clipping, DereverbWPE).
"""

from math import inf, isfinite, nan, prod
from typing import Any

import numpy as np

MAX_RATE = 1_000_000  # samples per second; ultrasound recorders have 500,000
PARAMETERS = {"Resample": "target_sampling_rate", "Speed": "factor", "Volume": "factor"}  # what is computed, from what
SOURCE_RATE = "source_sampling_rate"
Step = tuple[str, float]  # name, parameter


def steps(recording: dict[str, Any]) -> list[Step]:
    """The transforms of a recording, in order.

    Raises:
        ValueError: one cannot be computed, or is not as Lhotse writes it.
    """
    given = recording.get("transforms")
    if not given:
        return []
    if not isinstance(given, list):
        raise ValueError(f"recording.transforms is {str(given)[:40]!r}; it must be a list")
    return [_step(each) for each in given]


def _step(given: object) -> Step:
    name = given.get("name") if isinstance(given, dict) else None
    if not isinstance(name, str) or name not in PARAMETERS:
        raise ValueError(
            f"its recording has the transform {name or str(given)[:40]!r}; only {', '.join(PARAMETERS)} can be applied"
            " exactly: save the transformed audio, and make cuts of that"
        )
    assert isinstance(given, dict)
    arguments = given.get("kwargs")
    if not isinstance(arguments, dict):
        arguments = {}
    if name == "Resample":
        if SOURCE_RATE in arguments:
            _number(arguments, name, SOURCE_RATE, most=MAX_RATE)
        return name, _number(arguments, name, PARAMETERS[name], most=MAX_RATE)
    return name, _number(arguments, name, PARAMETERS[name], least=-inf if name == "Volume" else 0.0)


def _number(arguments: dict[str, Any], name: str, key: str, *, least: float = 0.0, most: float = inf) -> float:
    """The finite number under a key, above `least` and at most `most`; else ValueError."""
    value = arguments.get(key)
    try:
        number = float(value) if type(value) in (int, float) else nan  # type: ignore[arg-type]
    except OverflowError:  # an integer beyond all floats
        number = nan
    if not isfinite(number) or not least < number <= most:
        bounds = [f"above {least:g}"] * isfinite(least) + [f"at most {most:,.0f}"] * isfinite(most)
        wanted = " and ".join(bounds) or "that is finite"
        raise ValueError(f"transform {name} has {key} {str(value)[:40]!r}; it must be a number {wanted}")
    return number


def speed(chain: list[Step]) -> float:
    """Seconds of the file per second after the transforms."""
    return prod(value for name, value in chain if name == "Speed")


def file_rate(recording: dict[str, Any]) -> float:
    """The sampling rate that the manifest says the file has, before the transforms."""
    for each in recording.get("transforms") or ():
        if each["name"] == "Resample" and SOURCE_RATE in each["kwargs"]:
            return each["kwargs"][SOURCE_RATE]
    return recording["sampling_rate"]


def apply(chain: list[Step], wave: np.ndarray, rate: float) -> tuple[np.ndarray, float]:
    """The transformed waveform, float32 [N'], and its sampling rate.

    Args:
        chain: what `steps` returned.
        wave: float32 [N].
        rate: its sampling rate.
    """
    for name, value in chain:
        if name == "Volume":
            wave = wave * np.float32(value)
        elif name == "Speed":
            wave = resample(wave, rate * value, rate)
        else:
            wave, rate = resample(wave, rate, value), value
    return wave, rate


def resample(wave: np.ndarray, rate: float, target: float) -> np.ndarray:
    """float32 [N * target / rate], rounded to one sample more or less."""
    import soxr

    return wave if rate == target else soxr.resample(wave, rate, target).astype(np.float32)
