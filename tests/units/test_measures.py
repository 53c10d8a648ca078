"""Measures against cases worked by hand."""

import numpy as np
import pytest

from scripts.units.measures import joint_counts, measure
from scripts.units.quality import count_pairs, frame_phones, speaker_pnmi
from tests.factories.cuts import hummed_cut, make_cut


def test_joint_counts() -> None:
    counts = joint_counts(np.array([0, 0, 1, 1, 1]), np.array([2, 2, 0, 0, 2]), 4)
    assert counts.tolist() == [[0, 0, 2, 0], [2, 0, 1, 0]]


def test_perfect_units() -> None:
    found = measure(np.array([[5, 0, 0], [0, 0, 5]]), 50)
    assert found == {
        "pnmi": 1.0, "phone_purity": 1.0, "cluster_purity": 1.0, "used_units": 2, "bitrate": 50.0, "frames": 10
    }  # fmt: skip


def test_units_that_know_nothing() -> None:
    found = measure(np.array([[2, 2], [6, 6]]), 50)
    assert found["pnmi"] == pytest.approx(0.0, abs=1e-12)
    assert found["phone_purity"] == 0.75  # always the frequent phone
    assert found["cluster_purity"] == 0.5
    assert found["bitrate"] == 50.0


def test_split_phone() -> None:
    """Two units for the first phone, one for the second: the phone is known, the unit is not."""
    found = measure(np.array([[1, 1, 0], [0, 0, 2]]), 10)
    assert found["pnmi"] == pytest.approx(1.0)
    assert found["phone_purity"] == 1.0
    assert found["cluster_purity"] == 0.75
    assert found["bitrate"] == pytest.approx(15.0)


def test_worked_by_hand() -> None:
    """P = [[3, 1], [1, 3]] / 8: H(phone) = 1, H(phone | unit) = H(1/4) = 0.8113 bits."""
    found = measure(np.array([[3, 1], [1, 3]]), 50)
    assert found["pnmi"] == pytest.approx(1 - 0.811278, abs=1e-6)
    assert found["phone_purity"] == found["cluster_purity"] == 0.75


def test_no_frame() -> None:
    with pytest.raises(ValueError, match="no frames"):
        measure(np.zeros((0, 3), np.int64), 50)


def test_frame_phones_are_those_at_the_centres() -> None:
    # Centres lie at 12.5, 32.5, 52.5 ... ms; phones change every 100 ms; stress is not counted.
    cut = hummed_cut("x", "x.flac", 0.0, 4800)
    assert frame_phones(cut) == ["SIL"] * 5 + ["AA"] * 9
    assert frame_phones(hummed_cut("y", "y.flac", 0.0, 399)) == []


def test_alignment_that_ends_early() -> None:
    cut = hummed_cut("x", "x.flac", 0.0, 16000)
    cut["supervisions"][0]["alignment"]["phone"] = [["AA1", 0.0, 0.5, 0.0]]
    with pytest.raises(ValueError, match="x: its phones end at"):
        frame_phones(cut)


def test_units_of_other_utterances() -> None:
    cut = hummed_cut("x", "x.flac", 0.0, 1040)
    phones = [np.array([0, 1, 1])]
    assert count_pairs([cut], phones, {"x": np.array([1, 0, 0])}, 2).tolist() == [[0, 1], [2, 0]]
    with pytest.raises(ValueError, match="x: aligned but without units"):
        count_pairs([cut], phones, {"y": np.array([1, 0, 0])}, 2)
    with pytest.raises(ValueError, match="x: 2 units for 3 frames"):
        count_pairs([cut], phones, {"x": np.array([1, 0])}, 2)


def test_what_units_say_of_speakers() -> None:
    cuts = [make_cut(name, speaker=name[0]) for name in ("a1", "a2", "b1")]
    own = {"a1": np.array([0, 1]), "a2": np.array([1, 0]), "b1": np.array([2, 3, 2, 3])}
    assert speaker_pnmi(cuts, own, 4) == pytest.approx(1)
    alike = {"a1": np.array([0, 1]), "a2": np.array([1, 0]), "b1": np.array([0, 1, 0, 1])}
    assert speaker_pnmi(cuts, alike, 4) == pytest.approx(0)
