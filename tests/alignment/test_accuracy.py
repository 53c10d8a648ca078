"""Aligned phone boundaries against the synthesiser's, on held-out speech of the miniature's kind.

espeak-ng marks a voiceless stop at its burst and leaves the 40 ms of silence before it, its closure, to the
phone before. Here, as in TIMIT (tcl + t), the closure is part of the stop: the stop's true start is moved
back over the silence found in the waveform. The synthesiser's own marks are held to a looser bound.
"""

import itertools

import numpy as np

from scripts.common import audio
from scripts.common.cuts import phone_alignment
from scripts.common.files import read_jsonl

VOICELESS_STOPS = {"P", "T", "K", "CH"}
CLOSURE = -42.0  # dB full scale; speech is at -20 to -38, the noise of the recording at -60


def with_closures(phones, wave):
    """Truth [[phone, start, duration]] with the silence before voiceless stops given to the stops."""
    phones = [list(phone) for phone in phones]
    for before, stop in itertools.pairwise(phones):
        if stop[0] not in VOICELESS_STOPS or before[0] == "SIL":
            continue
        start = stop[1]
        while start - 0.005 > before[1] + 0.01:
            piece = wave[round((start - 0.005) * 16000) : round(start * 16000)]
            if 10 * np.log10(np.mean(piece**2) + 1e-12) > CLOSURE:
                break
            start -= 0.005
        stop[1] = start
    return phones


def starts(phones):
    """Start of every phone but SIL, and the end of the last, in seconds."""
    spoken = [phone for phone in phones if phone[0] != "SIL"]
    return np.array([phone[1] for phone in spoken] + [spoken[-1][1] + spoken[-1][2]])


def test_boundaries_lie_where_the_synthesiser_put_them(world, align):
    truth = {line["id"]: line["phones"] for line in read_jsonl(world / "dev.truth.jsonl.gz")}
    cuts = list(read_jsonl(world / "dev.jsonl.gz"))
    aligned = align(cuts)
    assert len(aligned.kept) == len(cuts)

    errors, marks = [], []
    for cut in aligned.kept:
        true = truth[cut["id"]]
        found = starts(phone_alignment(cut))
        if len(found) != len(starts(true)):  # another pronunciation, with another number of phones
            continue
        errors += list(found - starts(with_closures(true, audio.read(cut, world / "audio"))))
        marks += list(found - starts(true))
    errors, marks = np.array(errors), np.array(marks)
    for name, values in (("closures", errors), ("marks", marks)):
        report = {
            "boundaries": len(values),
            "within_20_ms": np.mean(np.abs(values) <= 0.020),
            "within_50_ms": np.mean(np.abs(values) <= 0.050),
            "median_ms": 1000 * np.median(np.abs(values)),
            "p90_ms": 1000 * np.quantile(np.abs(values), 0.9),
            "bias_ms": 1000 * np.median(values),
        }
        print(name, {key: round(float(value), 3) for key, value in report.items()})
    assert len(errors) > 2500
    assert np.mean(np.abs(errors) <= 0.020) >= 0.85
    assert np.mean(np.abs(errors) <= 0.050) >= 0.97
    assert abs(np.median(errors)) < 0.003, "frame times are biased"
    assert np.mean(np.abs(marks) <= 0.020) >= 0.77
    assert np.mean(np.abs(marks) <= 0.050) >= 0.97
