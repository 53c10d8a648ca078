"""Aligned phone boundaries against the synthesiser's true times, with closures counted to their stops."""

import copy

import numpy as np
import pytest
import soundfile

from scripts.common import audio
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


def test_a_second_microphone_of_the_same_speakers_costs_little(world, align):
    """Half of the recordings through another microphone: less low and high sound, at 24 dB less."""
    truth = {line["id"]: line["phones"] for line in read_jsonl(world / "dev.truth.jsonl.gz")}
    cuts = list(read_jsonl(world / "dev.jsonl.gz"))
    recordings = sorted({cut["recording"]["id"] for cut in cuts})
    other = []
    for place, cut in enumerate(cuts):
        new = copy.deepcopy(cut)
        microphone = place % 2
        wave = audio.read(cut, world / "audio").astype(np.float64)
        if microphone:
            wave = 0.06 * np.convolve(wave, [0.2, 0.5, -0.1, -0.5, 0.2], mode="same")
        name = f"microphone-{microphone}/{cut['id'].replace('/', '-')}.wav"
        (world / "audio" / name).parent.mkdir(exist_ok=True)
        soundfile.write(world / "audio" / name, wave, 16000, subtype="FLOAT")
        new["recording"]["id"] = f"{cut['recording']['id']}-{microphone}"
        new["recording"]["sources"][0]["source"] = name
        new["start"] = 0.0
        other.append(new)
    assert len(recordings) * 2 >= len({cut["recording"]["id"] for cut in other}) > len(recordings)
    kept = align(other).kept
    errors = np.abs(differences(kept, truth))
    print(f"two microphones: {len(kept)} of {len(cuts)} cuts, {np.mean(errors <= 0.02):.3f} within 20 ms")
    assert len(kept) == len(cuts)
    assert np.mean(errors <= 0.020) >= 0.84
