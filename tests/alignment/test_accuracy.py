"""Aligned phone boundaries against the synthesiser's true times, with closures counted to their stops."""

import numpy as np
import pytest

from scripts.common.cuts import phone_alignment
from scripts.common.files import read_jsonl


def starts(phones):
    """Start of every phone but SIL, and the end of the last, in seconds."""
    spoken = [phone for phone in phones if phone[0] != "SIL"]
    return np.array([phone[1] for phone in spoken] + [spoken[-1][1] + spoken[-1][2]])


def differences(cuts, truth):
    """Aligned minus true time of every boundary, seconds; without cuts that have another number of phones."""
    pairs = [(starts(phone_alignment(cut)), starts(truth[cut["id"]])) for cut in cuts]
    return np.concatenate([aligned - true for aligned, true in pairs if len(aligned) == len(true)])


@pytest.mark.parametrize("speakers", ["dev", "unseen"])
def test_boundaries_agree_with_the_synthesiser(world, unseen, align, speakers):
    truth = {line["id"]: line["phones"] for line in read_jsonl(world / f"{speakers}.truth.jsonl.gz")}
    cuts = list(read_jsonl(world / f"{speakers}.jsonl.gz"))
    aligned = align(cuts)
    assert len(aligned.kept) == len(cuts)

    errors = differences(aligned.kept, truth)
    report = {
        "boundaries": len(errors),
        "within_20_ms": np.mean(np.abs(errors) <= 0.020),
        "within_50_ms": np.mean(np.abs(errors) <= 0.050),
        "median_ms": 1000 * np.median(np.abs(errors)),
        "p90_ms": 1000 * np.quantile(np.abs(errors), 0.9),
        "bias_ms": 1000 * np.median(errors),
    }
    print(speakers, {key: round(float(value), 3) for key, value in report.items()})
    assert len(errors) > 2500 * (speakers == "dev")
    assert np.mean(np.abs(errors) <= 0.020) >= 0.85
    assert np.mean(np.abs(errors) <= 0.050) >= 0.97
    assert abs(np.median(errors)) < 0.003, "frame times are biased"
