"""A script shard becomes recordings and cuts that Lhotse reads, with the true phone times."""

import hashlib
import itertools
from dataclasses import replace
from pathlib import Path

import lhotse
import numpy as np
import pytest
import soundfile

from scripts.common.audio import read
from scripts.common.cuts import book_text, read_cuts, spoken_text
from scripts.common.files import read_csv, read_jsonl, write_jsonl
from scripts.corpus.config import Gain, Pitch, Rate, Voices
from scripts.corpus.world import speak
from scripts.corpus.world.prosody import LOUDEST, draw_prosody, parse_voices
from tests.corpus.world.scripts import LIMITS, flags, line

LINES = [
    line("u0", "the dog, the girl.", "speaker-0", "c0"),
    line("u1", "the girl sings.", "speaker-1", "c1"),
    line("u2", "the other idea.", "speaker-0", "c0"),
    line("u3", "carl sings the apple water.", "speaker-0", "c2"),
]


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, lines: list[dict] = LINES, **more: object) -> Path:
    write_jsonl(folder / "script.jsonl.gz", lines)
    paths = {
        "script": folder / "script.jsonl.gz",
        "audio": folder / "audio/train/0",
        "source": "train/0",
        "cuts": folder / "cuts.jsonl.gz",
        "truth": folder / "truth.jsonl.gz",
        "dropped": folder / "dropped.csv",
    }
    monkeypatch.setattr("sys.argv", ["speak", *flags(**paths, **more)])
    speak.main()
    return folder


def digest(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_cuts_are_segments_of_long_recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run(tmp_path, monkeypatch)
    cuts = list(read_cuts(tmp_path / "cuts.jsonl.gz"))
    assert sorted(cut["id"] for cut in cuts) == ["u0", "u1", "u2", "u3"]
    by_id = {cut["id"]: cut for cut in cuts}
    assert by_id["u0"]["recording"] == by_id["u2"]["recording"]
    assert by_id["u0"]["recording"]["sources"][0]["source"] == "train/0/speaker-0/c0.flac"
    assert book_text(by_id["u0"]) == "The dog, the girl."
    assert spoken_text(by_id["u0"]) == "THE DOG THE GIRL"
    gap = by_id["u2"]["start"] - by_id["u0"]["start"] - by_id["u0"]["duration"]
    assert 0.2 <= gap <= 0.5
    for cut in cuts:
        assert (cut["duration"] * 16_000).is_integer()
        assert (cut["start"] * 16_000).is_integer()
        info = soundfile.info(tmp_path / "audio" / cut["recording"]["sources"][0]["source"])
        assert (info.samplerate, info.channels, info.subtype) == (16_000, 1, "PCM_16")
        assert info.frames == cut["recording"]["num_samples"]


def test_lhotse_loads_the_same_cuts_and_the_same_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run(tmp_path, monkeypatch)
    cuts = lhotse.CutSet.from_jsonl(tmp_path / "cuts.jsonl.gz").with_recording_path_prefix(str(tmp_path / "audio"))
    cuts.describe()
    for ours, theirs in zip(read_cuts(tmp_path / "cuts.jsonl.gz"), cuts, strict=True):
        lhotse.validate(theirs)
        np.testing.assert_allclose(theirs.load_audio()[0], read(ours, tmp_path / "audio"), atol=1e-7)
        assert theirs.supervisions[0].custom["texts"][1] == spoken_text(ours)


def test_the_truth_fits_words_and_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run(tmp_path, monkeypatch)
    script = {item["id"]: item for item in LINES}
    cuts = list(read_cuts(tmp_path / "cuts.jsonl.gz"))
    for true, cut in zip(read_jsonl(tmp_path / "truth.jsonl.gz"), cuts, strict=True):
        assert true["id"] == cut["id"]
        asked = [phone for word in script[cut["id"]]["words"] for phone in word["phones"].split()]
        assert [phone for phone, _, _ in true["phones"] if phone != "SIL"] == asked
        for (_, start, duration), (_, after, _) in itertools.pairwise(true["phones"]):
            assert start + duration == pytest.approx(after, abs=2e-6)
        assert sum(duration for _, _, duration in true["phones"]) == pytest.approx(cut["duration"], abs=1e-4)
        wave = read(cut, tmp_path / "audio")
        assert np.abs(wave[:600]).max() < 0.1 * np.abs(wave).max()  # the margin


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    one, two = (digest(run(tmp_path / name, monkeypatch)) for name in "ab")
    assert one == two
    assert digest(run(tmp_path / "c", monkeypatch, seed=2)) != one


def test_utterances_do_not_depend_on_their_neighbours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run(tmp_path / "all", monkeypatch)
    run(tmp_path / "one", monkeypatch, lines=LINES[3:])
    truths = {item["id"]: item for item in read_jsonl(tmp_path / "all/truth.jsonl.gz")}
    assert list(read_jsonl(tmp_path / "one/truth.jsonl.gz")) == [truths["u3"]]


def test_losses_above_their_limit_end_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(ValueError, match=r"are dropped for their content: \d too-long, e\.g\. .*corpus\.max_dropped"):
        run(tmp_path, monkeypatch, limits={**LIMITS, "max_seconds": 1.3, "max_dropped": 0.01})
    assert not (tmp_path / "cuts.jsonl.gz").exists()


def test_too_long_is_dropped_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run(tmp_path, monkeypatch, limits={**LIMITS, "max_seconds": 1.3})
    rows = read_csv(tmp_path / "dropped.csv")
    assert {row["reason"] for row in rows} == {"too-long"}
    left = {cut["id"] for cut in read_cuts(tmp_path / "cuts.jsonl.gz")}
    assert left | {row["id"] for row in rows} == {"u0", "u1", "u2", "u3"}
    assert left
    assert rows
    with pytest.raises(ValueError, match="no utterance is left"):
        run(tmp_path, monkeypatch, limits={**LIMITS, "max_seconds": 0.2})


def test_bad_scripts_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(ValueError, match="'u0' twice"):
        run(tmp_path, monkeypatch, lines=[LINES[0], LINES[0]])
    with pytest.raises(ValueError, match="no speaker 'speaker-9'"):
        run(tmp_path, monkeypatch, lines=[line("u9", "the dog.", "speaker-9")])
    bad = {**LINES[0], "words": [{"word": "dog", "phones": "D OO G", "after": ""}]}
    with pytest.raises(ValueError, match="utterance u0: word 'dog': 'OO' is not"):
        run(tmp_path, monkeypatch, lines=[bad])


def voices(**more: object) -> Voices:
    import json

    from tests.corpus.world.scripts import CONFIG

    return parse_voices(json.dumps({**CONFIG, **more}))


def test_prosody_is_a_function_of_its_arguments_and_stays_in_bounds():
    same = draw_prosody(voices(), 1, "speaker-1", "u0")
    assert same == draw_prosody(voices(), 1, "speaker-1", "u0")
    assert same != draw_prosody(voices(), 1, "speaker-1", "u1")
    assert same != draw_prosody(voices(), 2, "speaker-1", "u0")
    wild = replace(voices(), rate=Rate(440, 2.0), pitch=Pitch(90, 2.0), gain=Gain(-1.0, 30.0))
    for i in range(50):
        drawn = draw_prosody(wild, 1, "speaker-0", f"u{i}")
        assert 80 <= drawn.settings["rate"] <= 450
        assert 0 <= drawn.settings["pitch"] <= 99
        assert drawn.gain <= LOUDEST


def test_speakers_beyond_the_voices_differ():
    many = voices(speakers=12, rate={"mean": 180, "jitter": 0}, pitch={"mean": 50, "jitter": 0})
    settings = [draw_prosody(many, 1, f"speaker-{i}", "u").settings for i in range(12)]
    assert len({(s["voice"], s["rate"], s["pitch"]) for s in settings}) == 12
    assert settings[0]["voice"] == settings[4]["voice"] == settings[8]["voice"]


def test_gain_is_the_peak():
    drawn = draw_prosody(voices(gain={"mean": -6.0, "jitter": 0}), 1, "speaker-0", "u")
    assert np.abs(drawn.apply_gain(np.array([0.1, -0.3], np.float32))).max() == pytest.approx(10 ** (-6 / 20), rel=1e-5)


def test_no_noise_is_silence_between_utterances(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from tests.corpus.world.scripts import CONFIG

    run(tmp_path, monkeypatch, lines=LINES[:1], config={**CONFIG, "noise": None})
    wave, _ = soundfile.read(tmp_path / "audio/train/0/speaker-0/c0.flac")
    assert np.abs(wave[:4000]).max() == 0
