"""Aligned cuts, and the errors for input that cannot be aligned."""

import copy
import gzip
import itertools
import json
import socket

import numpy as np
import pytest
import soundfile
import soxr

from scripts.alignment.config import Aligning
from scripts.alignment.lexicon import Dictionary, OutOfVocabularyError
from scripts.common.cuts import phone_alignment, sides, spoken_text, supervision
from scripts.common.files import read_jsonl
from scripts.corpus.pronounce import arpabet
from tests.factories.settings import settings
from tests.factories.sounds import headerless_mp3


@pytest.fixture
def cut(world):
    """The first short cut of dev, to be changed at will."""
    return min(read_jsonl(world / "dev.jsonl.gz"), key=lambda c: c["duration"])


def changed(cut, name, *, words=None, source=None, **fields):
    """A copy of the cut under another id."""
    new = copy.deepcopy(cut) | fields | {"id": name}
    if words is not None:
        new["supervisions"][0]["custom"]["texts"] = [words.capitalize(), words]
    if source is not None:
        new["recording"]["sources"][0]["source"] = str(source)
    return new


def test_phones_cover_the_cut_and_words_begin_with_phones(cut, align):
    odd = changed(cut, "odd", duration=cut["duration"] - 0.0011875)  # not a whole number of frames
    for aligned in align([cut, odd]).kept:
        phones = phone_alignment(aligned)
        assert phones[0][1] == 0.0
        for (_, start, duration), (_, after, _) in itertools.pairwise(phones):
            assert start + duration == pytest.approx(after, abs=1e-9)
        assert phones[-1][1] + phones[-1][2] == pytest.approx(aligned["duration"], abs=1e-9)
        assert all(duration > 0.02 for _, _, duration in phones)
        words = supervision(aligned)["alignment"]["word"]
        assert [word[0] for word in words] == spoken_text(aligned).split()
        starts = {start for phone, start, _ in phones if phone != "SIL"}
        assert all(word[1] in starts for word in words)
        assert all(-130 < item[3] < -50 for item in supervision(aligned)["alignment"]["phone"])


def test_lhotse_reads_the_alignment(cut, align):
    lhotse = pytest.importorskip("lhotse")
    aligned = align([cut])
    loaded = next(iter(lhotse.load_manifest_lazy(aligned.out)))
    items = loaded.supervisions[0].alignment["phone"]
    assert [(i.symbol, i.start, i.duration) for i in items] == phone_alignment(aligned.kept[0])


def test_same_input_gives_the_same_bytes(cut, align):
    first = align([cut]).out.read_bytes()
    assert align([cut]).out.read_bytes() == first


def test_damaged_audio_is_dropped_with_its_reason(cut, world, align, tmp_path):
    rate = 16000
    wave = np.random.default_rng(1).normal(0, 0.1, 10 * rate)
    soundfile.write(world / "audio/silent.flac", np.zeros(10 * rate), rate)
    soundfile.write(world / "audio/nan.wav", np.where(np.arange(10 * rate) == 5, np.nan, wave), rate, subtype="FLOAT")
    (world / "audio/broken.flac").write_bytes(b"fLaC" + bytes(1000))
    inside = {"start": 0.0, "duration": 5.0}
    lines = [
        changed(cut, "missing", source="nowhere.flac"),
        changed(cut, "short", source="silent.flac", start=8.0, duration=5.0),
        changed(cut, "silent", source="silent.flac", **inside),
        changed(cut, "nan", source="nan.wav", **inside),
        changed(cut, "broken", source="broken.flac", **inside),
        changed(cut, "blink", duration=0.01),
        changed(cut, "one-frame", duration=0.03),
        changed(cut, "hasty", duration=0.3),
        changed(cut, "no-words", words=""),
        changed(cut, "oov", words="XQZZY"),
        changed(cut, "accents", words="CAFÉ"),
        cut,
    ]
    result = align(lines)
    assert {name: row["reason"] for name, row in result.dropped.items()} == {
        "missing": "audio-missing",
        "short": "audio-too-short",
        "silent": "audio-silent",
        "nan": "audio-nan",
        "broken": "audio-damaged",
        "blink": "too-short",
        "one-frame": "too-short",
        "hasty": "alignment-failed",
        "no-words": "alignment-failed",
        "oov": "oov",
        "accents": "oov",
    }
    assert result.dropped["oov"]["detail"] == "XQZZY"
    assert [c["id"] for c in result.kept] == [cut["id"]]
    assert "dropped 2 cuts: oov" in result.stderr


def test_a_file_that_cannot_be_reached_ends_the_job_and_drops_nothing(cut, world, align, tmp_path):
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "away.flac"))  # is there, and cannot be opened
        result = align([cut, changed(cut, "away", source=tmp_path / "away.flac")], ok=False)
    assert "away.flac is there but cannot be read" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "dropped.csv").exists()


def test_the_end_of_an_mp3_without_a_length_is_filled_and_counted(cut, world, align):
    wave, rate = soundfile.read(world / "audio" / cut["recording"]["sources"][0]["source"])
    first = round(cut["start"] * rate)
    long = np.tile(wave[first : first + round(cut["duration"] * rate)], 20)[: 8 * rate]
    headerless_mp3(world / "audio/a.mp3", soxr.resample(long, rate, 44_100))
    seconds = soundfile.info(str(world / "audio/a.mp3")).duration
    lines = [changed(cut, "end", source="a.mp3", start=seconds - 2, duration=2.0)]
    lines += [changed(cut, "beginning", source="a.mp3", start=0.1, duration=2.0), cut]
    result = align(lines)
    assert "audio of 1 cuts ends in zeros" in result.stderr
    assert not {row["reason"] for row in result.dropped.values()} & {"audio-damaged", "audio-too-short"}


def test_damage_in_a_recording_drops_the_cuts_at_that_place(cut, world, align):
    wave, rate = soundfile.read(world / "audio" / cut["recording"]["sources"][0]["source"])
    first = round(cut["start"] * rate)
    once = wave[first : first + round(cut["duration"] * rate)]
    path = world / "audio/torn.flac"
    soundfile.write(path, np.tile(once, 9), rate)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 100] = bytes(100)
    path.write_bytes(content)
    lines = [changed(cut, str(i), source="torn.flac", start=i * len(once) / rate) for i in range(9)]
    result = align(lines)
    assert {name: row["reason"] for name, row in result.dropped.items()} == {"4": "audio-damaged"}
    assert [c["id"] for c in result.kept] == ["0", "1", "2", "3", "5", "6", "7", "8"]


def test_wrong_words_are_dropped(world, align):
    cuts = [c for c in read_jsonl(world / "dev.jsonl.gz") if c["duration"] > 5][:12]
    wrong = [changed(a, f"wrong-{a['id']}", words=spoken_text(b)) for a, b in itertools.pairwise(cuts)]
    result = align([*cuts, *wrong])
    assert {c["id"] for c in result.kept} == {c["id"] for c in cuts}
    assert {row["reason"] for row in result.dropped.values()} <= {"low-likelihood", "alignment-failed"}


def test_a_file_without_usable_cuts_is_reported(cut, align):
    result = align([changed(cut, "a", words="XQZZY"), changed(cut, "b", words="XQZZY")])
    assert result.kept == []
    assert "error: alignment/dev: none of 2 lines is kept; the most frequent reason is oov (2)" in result.stderr


def test_ten_minutes_in_one_cut(cut, world, align):
    wave, rate = soundfile.read(world / "audio" / cut["recording"]["sources"][0]["source"])
    first = round(cut["start"] * rate)
    once = wave[first : first + round(cut["duration"] * rate)]
    times = int(600 / cut["duration"]) + 1
    soundfile.write(world / "audio/long.flac", np.tile(once, times), rate)
    words = " ".join([spoken_text(cut)] * times)
    line = changed(cut, "long", words=words, source="long.flac", start=0.0, duration=len(once) * times / rate)
    kept = align([line]).kept
    assert len(supervision(kept[0])["alignment"]["word"]) == len(words.split())


def test_another_sampling_rate_and_stereo_are_read_and_reported(cut, world, align):
    soxr = pytest.importorskip("soxr")
    wave, rate = soundfile.read(world / "audio" / cut["recording"]["sources"][0]["source"])
    soundfile.write(world / "audio/stereo.flac", np.stack([soxr.resample(wave, rate, 22050)] * 2, axis=1), 22050)
    line = changed(cut, "stereo", source="stereo.flac")
    line["recording"]["sampling_rate"] = 22050
    result = align([cut, line])
    assert "1 cuts is not at 16000 Hz and was resampled" in result.stderr
    (straight, other) = (phone_alignment(c) for c in result.kept)
    assert np.mean([abs(a[1] - b[1]) <= 0.02 for a, b in zip(straight, other, strict=True)]) > 0.9


def test_a_cuts_own_pronunciations_apply_to_this_cut_only(cut, align):
    word = spoken_text(cut).split()[0]
    own = changed(cut, "own")
    own["supervisions"][0]["custom"]["pronunciations"] = {word: "S IH1 K S"}
    result = align([own, cut], config={"min_log_likelihood": -50})
    spoken = {c["id"]: [p for p, _, _ in phone_alignment(c) if p != "SIL"][:4] for c in result.kept}
    assert spoken["own"] == ["S", "IH1", "K", "S"]
    assert spoken[cut["id"]] != spoken["own"]


def test_an_unknown_phone_names_the_cut(cut, align):
    own = changed(cut, "own")
    own["supervisions"][0]["custom"]["pronunciations"] = {"BLICK": "B L YY1 K"}
    stderr = align([own], ok=False).stderr
    assert stderr.startswith("error: cut own: its pronunciation 'B L YY1 K' of 'BLICK' uses the unknown phone 'YY1'")


def test_an_own_pronunciation_with_a_phone_that_training_lacks_is_out_of_vocabulary(cut, align, trained):
    lacking = sorted(set(arpabet()) - set((trained / "phones.txt").read_text().split()))
    own = changed(cut, "own", words="BLICK")
    own["supervisions"][0]["custom"]["pronunciations"] = {"BLICK": f"B L {lacking[0]} K"}
    result = align([own, cut])
    assert [each["id"] for each in result.kept] == [cut["id"]]
    assert set(result.dropped) == {"own"}


def test_an_item_is_dropped_if_a_side_is(cut, align):
    item = {"id": "pair-0", "task": "sblimp", "subset": "s", "group": "g"}
    good = item | {"positive": cut, "negative": changed(cut, "other")}
    bad = item | {"id": "pair-1", "positive": changed(cut, "third"), "negative": changed(cut, "bad", words="XQZZY")}
    choice = item | {"id": "c-0", "positive": changed(cut, "4"), "negative": [changed(cut, "5"), changed(cut, "6")]}
    worse = item | {"id": "c-1", "positive": changed(cut, "7"), "negative": [changed(cut, "no", words="XQZZY")]}
    result = align([good, bad, choice, worse])
    assert [i["id"] for i in result.kept] == ["pair-0", "c-0"]
    assert [[c["id"] for c in sides(i)] for i in result.kept] == [[cut["id"], "other"], ["4", "5", "6"]]
    assert isinstance(result.kept[1]["negative"], list)
    assert all("phone" in supervision(each)["alignment"] for kept in result.kept for each in sides(kept))
    assert set(result.dropped) == {"bad", "no"}
    assert "2 of 4 kept" in result.stderr


def test_the_other_items_of_a_couple_leave_with_the_one_that_is_dropped(cut, align):
    def item(name, couple, words=None):
        item = {"id": name, "task": "sblimp", "subset": "s", "group": "g", "couple": couple}
        negative = changed(cut, f"{name}-n", **({"words": words} if words else {}))
        return item | {"positive": changed(cut, f"{name}-p"), "negative": negative}

    result = align([item("0a", "0"), item("0b", "0"), item("1a", "1", "XQZZY"), item("1b", "1")])
    assert [each["id"] for each in result.kept] == ["0a", "0b"]
    assert {name: row["reason"] for name, row in result.dropped.items()} == {"1a-n": "oov", "1b-p": "couple-incomplete"}
    assert "2 of 4 kept" in result.stderr
    assert "dropped 1 cuts: couple-incomplete" in result.stderr


def test_bad_files_give_one_line(cut, world, align, tmp_path):
    assert "cut id" in align([cut, cut], ok=False).stderr
    assert "alignment.beem is not a known key" in align([cut], config={"beem": [1, 2]}, ok=False).stderr
    assert "alignment.beam is [40, 10]" in align([cut], config={"beam": [40, 10]}, ok=False).stderr
    empty = tmp_path / "lexicon.txt"
    empty.write_text("DOG\n")
    assert f"{empty}:1: 'DOG' has no phones" in align([cut], lexicon=empty, ok=False).stderr
    no_supervision = cut | {"supervisions": []}
    assert "has 0 supervisions" in align([no_supervision], ok=False).stderr


def test_truncated_cuts_name_the_file(cut, world, trained, tmp_path):
    from tests.factories.steps import step

    path = tmp_path / "cuts.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(cut).encode() * 50)[:-20])
    stderr = step("scripts.alignment.align", "--cuts", path, "--audio-root", world / "audio", "--model", trained,
                  "--lexicon", world / "lexicon.txt", "--split", "dev", "--out", tmp_path / "o.jsonl.gz",
                  "--dropped", tmp_path / "d.csv", "--guessed", tmp_path / "g.csv", "--config",
                  settings(Aligning, "alignment"), ok=False)  # fmt: skip
    assert str(path) in stderr
    assert not (tmp_path / "o.jsonl.gz").exists()


def test_a_pronunciation_with_a_phone_without_model_is_not_used():
    words = Dictionary({"GENRE": (("ZH", "AA", "N"), ("JH", "AA", "N"))}, ["SIL", "AA", "JH", "N"])
    cut = {"id": "a", "supervisions": [{"custom": {"texts": ["Genre", "GENRE"]}}]}
    assert words.entries(cut) == [("GENRE", (("JH", "AA", "N"),))]
    with pytest.raises(OutOfVocabularyError):
        Dictionary({"GENRE": (("ZH", "AA", "N"),)}, ["SIL", "AA", "N"]).entries(cut)
