import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.common.cuts import num_samples
from scripts.common.files import write_jsonl
from scripts.common.frames import frame_count
from scripts.common.ragged import Ragged, save_npz
from scripts.tokens import sources
from tests.factories.cuts import aligned_cut, spoken_cut
from tests.tokens.conftest import modality

# 0.1 s are 1,600 samples, (1600 - 80) // 320 = 4 frames, centred on 12.5, 32.5, 52.5, 72.5 ms.
HAND = aligned_cut(
    "hand", "Hi, Bo.", [("SIL", 0, 0.02), ("HH", 0.02, 0.01), ("AY1", 0.03, 0.03), ("B", 0.06, 0.04)], 0.1
)


def told(found):
    """Everything but the places."""
    return (found.names, found.phones, found.phones_lost)


def test_text_is_read_as_characters():
    assert told(sources.text(HAND, modality("text-raw"))) == ("Hi, Bo.", 0, 0)


def test_phones_once_each():
    assert told(sources.phones(HAND, modality("phone-raw"))) == (["SIL", "HH", "AY1", "B"], 3, 0)
    dropped = sources.phones(HAND, modality("phone-raw", silence="drop"))
    assert told(dropped) == (["HH", "AY1", "B"], 3, 0)
    assert dropped.places.tolist() == [1, 2, 3]


def test_a_frame_is_the_phone_at_its_centre():
    # HH lasts from 20 to 30 ms, between two centres: it is in no frame and counted.
    found = sources.phone_frames(HAND, modality("phone-repeat"))
    assert told(found) == (["SIL", "AY1", "AY1", "B"], 3, 1)
    assert found.places.tolist() == [0, 2, 2, 3]


def test_framed_phones_keep_silence():
    symbols, *_ = sources.phone_frames(HAND, modality("phone-repeat", silence="drop"), None)
    assert symbols[0] == "SIL"


def test_a_boundary_on_a_centre_begins_the_new_phone():
    cut = aligned_cut("x", "x", [("A", 0, 0.0325), ("B", 0.0325, 0.0675)], 0.1)
    assert sources.phone_frames(cut, modality("phone-repeat"), None)[0] == ["A", "B", "B", "B"]


def test_another_frame_rate():
    # Hop 640: (1600 - 400) // 640 + 1 = 2 frames, centred on 12.5 and 52.5 ms.
    assert sources.phone_frames(HAND, replace(modality("phone-repeat"), frame_rate=25), None)[0] == ["SIL", "AY1"]


@pytest.mark.parametrize(("seconds", "frames"), [(0.02, 0), (0.0249, 0), (0.025, 1), (0.0449, 1), (0.045, 2)])
def test_the_shortest_utterances(seconds, frames):
    cut = aligned_cut("x", "x", [("A", 0, seconds)], seconds)
    assert sources.phone_frames(cut, modality("phone-repeat"), None)[0] == ["A"] * frames


def test_ten_minutes():
    phones = [("A" if i % 2 else "B", i / 10, 0.1) for i in range(6000)]
    symbols, _, _, lost = sources.phone_frames(aligned_cut("x", "x", phones, 600.0), modality("phone-repeat"), None)
    assert len(symbols) == frame_count(600 * 16000) == 29999
    assert symbols[:6] == ["B"] * 5 + ["A"]
    assert lost == 0


@given(st.lists(st.integers(1, 400), min_size=1, max_size=60), st.integers(0, 159))
def test_frames_follow_any_alignment(lengths, extra):
    """Lengths in ms: as many frames as units, in the phones' order, every other phone lost."""
    ends = np.cumsum(lengths) / 1000
    starts = [0.0, *ends[:-1].tolist()]
    phones = [
        (f"P{i}", round(start, 3), length / 1000) for i, (start, length) in enumerate(zip(starts, lengths, strict=True))
    ]
    duration = ends[-1] - extra / 16000 if ends[-1] > 0.02 else ends[-1]
    cut = aligned_cut("x", "x", phones, float(duration))
    symbols, _, spoken, lost = sources.phone_frames(cut, modality("phone-repeat"), None)
    assert len(symbols) == frame_count(num_samples(cut))
    order = [int(symbol[1:]) for symbol in symbols]
    assert order == sorted(order)
    assert (spoken, lost) == (len(lengths), len(lengths) - len(set(order)))
    for frame, index in enumerate(order):  # against the definition, in seconds
        centre = 0.02 * frame + 0.0125
        assert starts[index] - 1e-9 <= centre < ends[index] + 1e-9


def test_units_by_name():
    stream = np.array([17, 17, 42, 3], np.uint16)
    assert told(sources.units(HAND, modality("speech-hubert"), stream)) == (["17", "17", "42", "3"], 0, 0)


def test_phone_frames_are_as_long_as_the_units(corpus):
    cuts, units = corpus / "alignment/cuts/train/0.jsonl.gz", corpus / "units/train/0.npz"
    frames = [len(u.symbols) for u in sources.read(cuts, None, modality("phone-repeat"))]
    streams = [len(u.symbols) for u in sources.read(cuts, units, modality("speech-hubert"))]
    assert frames == streams
    assert min(frames) > 20


def test_counts_per_utterance(tmp_path):
    write_jsonl(tmp_path / "c.jsonl.gz", [HAND])
    (found,) = sources.read(tmp_path / "c.jsonl.gz", None, modality("phone-repeat"))
    assert (found.id, found.seconds, found.words, found.frames, found.phones, found.phones_lost) == (
        ("hand", 0.1, 2, 4, 3, 1)
    )


def test_tasks_are_read_positive_side_first(corpus):
    found = sources.read(corpus / "alignment/tasks/toy.jsonl.gz", None, modality("text-raw"))
    assert [(u.id, u.symbols) for u in found] == [("p", "The dog sat."), ("n", "The dog sit.")]


def test_a_cut_without_alignment(tmp_path):
    cut = spoken_cut("x", "The cat sat.")
    del cut["supervisions"][0]["alignment"]
    write_jsonl(tmp_path / "c.jsonl.gz", [cut])
    for name in ("phone-raw", "phone-repeat"):
        with pytest.raises(ValueError, match=r"c\.jsonl\.gz: cut x: has no phone alignment; expected a cut from alig"):
            list(sources.read(tmp_path / "c.jsonl.gz", None, modality(name)))
    assert len(list(sources.read(tmp_path / "c.jsonl.gz", None, modality("text-raw")))) == 1


def test_an_alignment_that_does_not_reach_the_end():
    cut = aligned_cut("x", "x", [("A", 0, 0.05)], 0.1)
    with pytest.raises(ValueError, match=re.escape("cut x: its phones reach from 0 to 0.0500 s; they must cover")):
        sources.phone_frames(cut, modality("phone-repeat"), None)
    cut = aligned_cut("x", "x", [("A", 0.05, 0.05), ("B", 0, 0.05)], 0.1)
    with pytest.raises(ValueError, match="cut x: its phones are not in order of time"):
        sources.phone_frames(cut, modality("phone-repeat"), None)


def test_a_cut_without_texts(tmp_path):
    cut = aligned_cut("x", "x", [("A", 0, 0.1)], 0.1)
    cut["supervisions"][0]["custom"] = {}
    write_jsonl(tmp_path / "c.jsonl", [cut])
    with pytest.raises(ValueError, match=r"c\.jsonl: cut x: supervision.custom.texts holds 0 texts; expected"):
        list(sources.read(tmp_path / "c.jsonl", None, modality("text-raw")))
    cut["supervisions"] = []
    write_jsonl(tmp_path / "c.jsonl", [cut])
    with pytest.raises(ValueError, match=r"c\.jsonl: cut x: has 0 supervisions, expected exactly 1"):
        list(sources.read(tmp_path / "c.jsonl", None, modality("text-raw")))


@pytest.mark.parametrize(
    ("ids", "lengths", "message"),
    [
        (["a", "x"], [4, 4], "u.npz: holds 'x' at place 2 where .*c.jsonl holds 'b'; run the units again"),
        (["b", "a"], [4, 4], "u.npz: holds 'b' at place 1 where .*c.jsonl holds 'a'"),
        (["a"], [4], "u.npz: holds 'nothing' at place 2 where .* holds 'b'"),
        ([], [], "u.npz: holds 'nothing' at place 1"),
        (["a", "b", "c"], [4, 4, 4], "u.npz: holds 3 utterances, .*c.jsonl holds 2; run the units again"),
        (["a", "b"], [4, 3], "c.jsonl: cut b: has 3 units; 0.1 s at 50 per second make 4"),
    ],
)
def test_units_of_other_cuts(tmp_path, ids, lengths, message):
    write_jsonl(tmp_path / "c.jsonl", [{**HAND, "id": "a"}, {**HAND, "id": "b"}])
    save_npz(tmp_path / "u.npz", Ragged.join(ids, [np.zeros(n, np.uint16) for n in lengths]))
    with pytest.raises(ValueError, match=message):
        list(sources.read(tmp_path / "c.jsonl", tmp_path / "u.npz", modality("speech-hubert")))


def test_units_that_are_missing_or_damaged(tmp_path):
    write_jsonl(tmp_path / "c.jsonl", [HAND])
    with pytest.raises(FileNotFoundError, match=r"u\.npz"):
        list(sources.read(tmp_path / "c.jsonl", tmp_path / "u.npz", modality("speech-hubert")))
    (tmp_path / "u.npz").write_bytes(b"PK not really")
    with pytest.raises(ValueError, match=r"u\.npz: not a unit file"):
        list(sources.read(tmp_path / "c.jsonl", tmp_path / "u.npz", modality("speech-hubert")))
