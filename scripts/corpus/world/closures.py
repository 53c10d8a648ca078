"""Correct the true phone times: a voiceless stop begins with its closure, the silence before the burst.

espeak-ng marks P, T, K and CH at the burst and leaves the 35 to 45 ms of silence before it to the phone before.
Phoneticians (TIMIT's tcl + t) and acoustic models count that silence as part of the stop. The silence is
measured in the waveform before noise is added, never assumed: from the mark backwards, as long as pieces of
STEP are CLOSURE below the utterance's peak. B, D, G and JH hum through their closures and stay as marked; so does
a stop after a pause, where closure and pause are the same silence. docs/alignment.md shows the levels.
"""

from collections.abc import Sequence

import numpy as np

from scripts.common.frames import SAMPLE_RATE

VOICELESS_STOPS = {"P", "T", "K", "CH"}
CLOSURE = -39.0  # decibels below the utterance's peak; closures lie under -41, the phones before them over -28
STEP = 0.005  # seconds
SHORTEST = 0.010  # seconds that the phone before keeps

Phone = tuple[str, float, float]  # symbol, start, end in seconds


def with_closures(phones: Sequence[Phone], wave: np.ndarray) -> list[Phone]:
    """Phones, gapless, with the silence before a voiceless stop given to the stop.

    Args:
        phones: as espeak-ng marked them.
        wave: float32 [N] at 16 kHz, without noise.
    """
    starts = [start for _, start, _ in phones]
    quiet = float(np.abs(wave).max()) * 10 ** (CLOSURE / 20)
    for i in range(1, len(phones)):
        if phones[i][0] not in VOICELESS_STOPS or phones[i - 1][0] == "SIL":
            continue
        earlier = starts[i] - STEP
        while earlier >= starts[i - 1] + SHORTEST:
            piece = wave[round(earlier * SAMPLE_RATE) : round(starts[i] * SAMPLE_RATE)]
            if np.sqrt(np.mean(piece**2)) > quiet:
                break
            starts[i], earlier = earlier, earlier - STEP
    ends = [*starts[1:], phones[-1][2]]
    return [(phone[0], round(start, 6), round(end, 6)) for phone, start, end in zip(phones, starts, ends, strict=True)]
