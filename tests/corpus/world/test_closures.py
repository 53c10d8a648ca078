"""The silence before a burst belongs to the stop, and no other boundary changes."""

import numpy as np
import pytest

from scripts.corpus.world.closures import with_closures
from scripts.corpus.world.espeak import speak
from tests.corpus.world.scripts import words


def tone(*parts: tuple[float, float]) -> np.ndarray:
    """Noise of (seconds, level) each, one after the other."""
    rng = np.random.default_rng(0)
    return np.concatenate([level * rng.standard_normal(round(s * 16_000)) for s, level in parts]).astype(np.float32)


def test_silence_before_a_voiceless_stop_becomes_the_stops():
    wave = tone((0.1, 0.1), (0.1, 0.1), (0.04, 0.0), (0.05, 0.1))
    marked = [("SIL", 0.0, 0.1), ("AH0", 0.1, 0.24), ("T", 0.24, 0.29)]
    found = with_closures(marked, wave)
    assert [p[0] for p in found] == ["SIL", "AH0", "T"]
    assert found[2][1] == pytest.approx(0.2)
    assert found[1][2] == found[2][1]
    assert with_closures([("SIL", 0.0, 0.1), ("AH0", 0.1, 0.24), ("D", 0.24, 0.29)], wave)[2][1] == 0.24


def test_a_stop_after_a_pause_or_without_silence_stays():
    wave = tone((0.1, 0.0), (0.1, 0.1), (0.1, 0.1))
    marked = [("SIL", 0.0, 0.1), ("K", 0.1, 0.2), ("P", 0.2, 0.3)]
    assert with_closures(marked, wave) == marked


def test_the_phone_before_keeps_some_time():
    wave = tone((0.1, 0.1), (0.1, 0.0), (0.1, 0.1))
    assert with_closures([("S", 0.0, 0.1), ("AH0", 0.1, 0.2), ("K", 0.2, 0.3)], wave)[2][1] >= 0.11 - 1e-9


def test_espeaks_own_closures_are_found():
    speech = speak(words("the apple"), voice="en-us+m1", rate=180, pitch=50, seed=3)
    marked = {p[0]: p for p in speech.phones}["P"]
    found = {p[0]: p for p in with_closures(speech.phones, speech.wave)}["P"]
    assert 0.02 < marked[1] - found[1] < 0.07
    assert found[2] == marked[2]
