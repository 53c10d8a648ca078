"""Tokenizers of known quality are placed where they belong: phones with errors in order of their errors, others below.

Measured on the dev speech of the smoke run, whose own HuBERT is too small to be a reference.
"""

import faiss
import numpy as np
import pytest

from scripts.common import audio
from scripts.common.cuts import read_cuts
from scripts.common.files import read_csv
from scripts.units import abx, quality
from scripts.units.abx_task import build_task
from tests.factories.workflow import Workflow

CLUSTERS = 40
pytestmark = pytest.mark.smoke


@pytest.fixture(scope="module")
def speech(smoke: Workflow):
    """Aligned cuts of dev, the phone of every frame as a number, and the ABX task on them."""
    cuts = list(read_cuts(smoke.results / "alignment/cuts/dev/0.jsonl.gz"))
    return cuts, quality.phone_indices(cuts, ["dev"]), build_task(cuts, 1)


def placed(speech, units: dict[str, np.ndarray], clusters: int) -> tuple[float, float]:
    """PNMI and ABX error within speakers of units by cut id."""
    cuts, phones, task = speech
    columns = abx.unit_columns(task, [cut["id"] for cut in cuts], units, 1)
    return quality.measures(cuts, phones, units, clusters, 50.0)["pnmi"], float(columns["abx_within"])


def with_errors(speech, share: float) -> dict[str, np.ndarray]:
    """The phone of every frame, replaced with this probability by any phone."""
    cuts, phones, _ = speech
    rng, count = np.random.default_rng(7), 1 + max(int(numbers.max()) for numbers in phones)
    return {
        cut["id"]: np.where(rng.random(len(own)) < share, rng.integers(count, size=len(own)), own).astype(np.uint16)
        for cut, own in zip(cuts, phones, strict=True)
    }


def test_phones_with_more_errors_are_placed_lower(speech):
    information, errors = zip(
        *(placed(speech, with_errors(speech, share), 100) for share in (0, 0.1, 0.3, 0.6, 1)), strict=True
    )
    assert information[0] == pytest.approx(1.0)
    assert errors[0] == pytest.approx(0.0, abs=0.01)
    assert list(information) == sorted(information, reverse=True)
    assert information[3] > information[4] + 0.05
    assert list(errors) == sorted(errors)
    assert errors[4] > 0.4  # nothing left: half of the triphones are mistaken


def test_a_random_projection_of_the_waveform_is_below_mfcc(smoke: Workflow, speech):
    cuts, _, task = speech
    projection = np.random.default_rng(3).standard_normal((400, 13)).astype(np.float32)

    def features(wave: np.ndarray) -> np.ndarray:
        windows = np.lib.stride_tricks.sliding_window_view(wave, 400)[::320]
        return (windows @ projection).astype(np.float32)

    root = str(smoke.results / "corpus/audio")
    frames = np.concatenate([features(audio.read(cut, root)) for cut in cuts])
    kmeans = faiss.Kmeans(13, CLUSTERS, seed=1, verbose=False)
    kmeans.train(frames)
    units, _ = quality.encode(cuts, root, features, {CLUSTERS: kmeans.centroids}, task)
    information, errors = placed(speech, units[CLUSTERS], CLUSTERS)
    table = {row["encoder"]: row for row in read_csv(smoke.results / "units/quality.csv")}
    assert information < 0.6 * float(table["mfcc"]["pnmi"])
    assert errors > 2 * float(table["mfcc"]["abx_within"])
