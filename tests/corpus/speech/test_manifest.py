"""A user's cuts: every fault is one clear error or one counted drop."""

import copy
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
from lhotse import MonoCut

from scripts.common.audio import read
from scripts.common.cuts import book_text, read_cuts, spoken_text
from scripts.common.files import read_csv, write_jsonl
from scripts.corpus.drops import DropError
from scripts.corpus.speech import manifest
from scripts.corpus.speech.transcripts import to_words
from scripts.corpus.speech.validate import Rules
from tests.factories.cuts import make_cut

RULES = {
    "min_seconds": 0.1,
    "max_seconds": 30.0,
    "max_missing_audio": 1,
    "max_dropped": 1,
    "characters": "A-Za-z0-9 .,;:!?'\"()-",
}
AN4 = Path(os.environ.get("SHARED", "../shared")) / "an4"


def run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, cuts: list[dict], shards: int = 1, audio: bool = True
) -> list[dict]:
    """The cuts that are left; drops are in dropped.csv."""
    folder.mkdir(exist_ok=True)
    write_jsonl(folder / "cuts.jsonl.gz", cuts)
    if audio:
        for number in range(9):
            (folder / f"r{number}.wav").touch()
    call(folder, monkeypatch, folder / "cuts.jsonl.gz", shards)
    return [c for number in range(shards) for c in read_cuts(folder / f"shard{number}.jsonl.gz")]


def call(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    path: Path,
    shards: int = 1,
    root: Path | None = None,
    others: Sequence[Path] = (),
    more: Sequence[object] = (),
    rules: dict | None = None,
) -> None:
    files = [str(folder / f"shard{number}.jsonl.gz") for number in range(shards)]
    flags = ["--manifest", path, "--audio-root", root or folder, "--shards", *files]
    flags += ["--dropped", folder / "dropped.csv", "--config", json.dumps({**RULES, **(rules or {})})]
    flags += ["--recordings", folder / "recordings.json", "--other-splits", *others, *more]
    monkeypatch.setattr("sys.argv", ["manifest", *map(str, flags)])
    manifest.main()


def drops(folder: Path) -> dict[str, str]:
    return {row["id"]: row["reason"] for row in read_csv(folder / "dropped.csv")}


def changed(path: str, value: object) -> dict:
    """A cut named `bad` with one field changed or, if the value is None, removed."""
    bad = copy.deepcopy(make_cut("bad"))
    *parents, last = path.split(".")
    place = bad
    for key in parents:
        place = place[int(key) if key.isdigit() else key]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return bad


def test_a_good_cut_keeps_every_field(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    good = make_cut("a", custom={"text_path": "x"})
    assert run(tmp_path, monkeypatch, [good]) == [good]
    assert drops(tmp_path) == {}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (make_cut("bad", supervisions=[]), "no-supervision"),
        (make_cut("bad", supervisions=make_cut("x")["supervisions"] * 2), "several-supervisions"),
        (make_cut("bad", text="   "), "empty-text"),
        (make_cut("bad", text="?!"), "empty-text"),
        (make_cut("bad", text="Café au lait."), "characters"),
        (make_cut("bad", text="Room 101."), "digits"),
        (make_cut("bad", duration=0.05), "too-short"),
        (make_cut("bad", duration=600.0), "too-long"),
        (make_cut("bad", start=699.5), "outside-recording"),
        (make_cut("bad", start=-1.0), "outside-recording"),
        (changed("supervisions.0.custom", {}), "no-text"),
        (changed("supervisions.0.custom.texts", [1]), "no-text"),
        (changed("duration", None), "malformed"),
        (changed("duration", "long"), "malformed"),
        (changed("duration", float("nan")), "malformed"),
        (changed("recording", None), "malformed"),
        (changed("recording.sources", []), "malformed"),
        (changed("recording.sources.0.type", "url"), "malformed"),
        (changed("recording.sources", [make_cut("x")["recording"]["sources"][0], {}]), "malformed"),
        (changed("recording.sources", [make_cut("x")["recording"]["sources"][0], "x"]), "malformed"),
        (changed("recording.sources", {"type": "file"}), "malformed"),
        (changed("recording.sources.0.channels", 5), "malformed"),
        (changed("recording.sources.0.channels", ["left"]), "malformed"),
        (changed("recording.sampling_rate", None), "malformed"),
        (changed("recording.duration", 10**400), "malformed"),
        (changed("recording.channel_ids", 1), "malformed"),
        (changed("supervisions", {"id": "s"}), "malformed"),
        (changed("supervisions", 3), "malformed"),
        (changed("supervisions.0.custom", "texts"), "malformed"),
        (changed("supervisions.0.speaker", ["a"]), "malformed"),
        (make_cut("bad") | {"custom": "x"}, "malformed"),
        (make_cut("bad") | {"custom": {"text_path": ["x"]}}, "malformed"),
        (make_cut("good0"), "duplicate-id"),
        (changed("supervisions.0.start", None), "malformed"),
        (changed("supervisions.0.duration", "long"), "malformed"),
        (changed("supervisions.0.channel", [[0]]), "malformed"),
        (changed("channel", "left"), "malformed"),
        (changed("recording.sources.0.source", "a\0b.wav"), "malformed"),
        (changed("supervisions.0.start", -0.2), "supervision-outside"),
        (changed("supervisions.0.start", 0.2), "supervision-outside"),
        (changed("supervisions.0.duration", 1.1), "supervision-outside"),
        (changed("supervisions.0.duration", 0.0), "supervision-outside"),
        (changed("supervisions.0.duration", -0.5), "supervision-outside"),
        (changed("supervisions.0.recording_id", "r1"), "supervision-outside"),
        (changed("supervisions.0.channel", 1), "supervision-outside"),
        (changed("supervisions.0.duration", 0.05), "too-short"),
        (changed("recording.transforms", [{"name": "Tempo", "kwargs": {"factor": 1.1}}]), "transform-unsupported"),
        (changed("recording.transforms", "loud"), "transform-unsupported"),
    ],
)
def test_a_bad_cut_is_dropped_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: dict, reason: str):
    left = run(tmp_path, monkeypatch, [make_cut("good0"), bad, make_cut("good1")])
    assert [c["id"] for c in left] == ["good0", "good1"]
    assert drops(tmp_path) == {bad["id"]: reason}


def test_a_supervision_of_a_part_takes_the_cut_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """As Lhotse's trim_to_supervisions."""
    part = copy.deepcopy(make_cut("part", start=10.0, duration=3.0))
    part["supervisions"][0] |= {"start": 0.4, "duration": 1.25, "alignment": {"word": [["HELLO", 0.4, 0.5, None]]}}
    rounded = copy.deepcopy(make_cut("rounded", duration=1.0004))
    rounded["supervisions"][0] |= {"start": 0.0002, "duration": 0.9997}
    left = {c["id"]: c for c in run(tmp_path, monkeypatch, [part, rounded, make_cut("whole")])}
    assert drops(tmp_path) == {}
    (theirs,) = MonoCut.from_dict(copy.deepcopy(part)).trim_to_supervisions(keep_overlapping=False)
    ours = MonoCut.from_dict(copy.deepcopy(left["part"]))
    assert (ours.start, ours.duration) == (theirs.start, theirs.duration) == (10.4, 1.25)
    assert (ours.supervisions[0].start, ours.supervisions[0].duration) == (0.0, 1.25)
    assert "alignment" not in left["part"]["supervisions"][0]
    assert left["rounded"] == rounded
    assert left["whole"] == make_cut("whole")
    assert "1 cuts cut to their supervision" in capsys.readouterr().err


def test_transformed_recordings_stay_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    time = np.arange(64_000) / 16_000
    soundfile.write(tmp_path / "r0.wav", 0.3 * np.sin(2 * np.pi * (100 + 300 * time) * time), 16_000)
    whole = changed("recording.duration", 4.0) | {"id": "a"}
    whole["recording"]["num_samples"] = 64_000
    fast = MonoCut.from_dict(copy.deepcopy(whole)).perturb_speed(1.25).to_dict()
    (left,) = run(tmp_path, monkeypatch, [fast], audio=False)
    assert left["recording"]["transforms"] == [{"name": "Speed", "kwargs": {"factor": 1.25}}]
    want = MonoCut.from_dict(copy.deepcopy(fast)).with_recording_path_prefix(tmp_path).load_audio()[0]
    np.testing.assert_allclose(read(left, tmp_path)[200:-200], want[200:-200], atol=0.02)


def test_losses_above_their_limit_end_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    missing = [make_cut(f"m{i}", "gone") for i in range(2)]
    (tmp_path / "r0.wav").touch()
    path = tmp_path / "cuts.jsonl"
    for number, more in ((200, ()), (198, ()), (198, ["--need-audio"])):
        write_jsonl(path, [make_cut(f"c{i}") for i in range(number - 1)] + missing)
        if number == 200:  # 2 of 201
            call(tmp_path, monkeypatch, path, rules={"max_missing_audio": 0.01}, more=more)
            share = (
                "2 of 201 cuts (0.995%) are without usable audio: 2 audio-missing; corpus.max_missing_audio allows 1%"
            )
            assert share in capsys.readouterr().err
            (tmp_path / "shard0.jsonl.gz").unlink()
            continue
        says = r"2 of 199 cuts \(1\.005%\) are without usable audio: 2 audio-missing, e\.g\. .*gone\.wav.*"
        says += r"corpus\.max_missing_audio allows 1%: complete or mend the audio, or raise it"
        fails(tmp_path, monkeypatch, says, path, rules={"max_missing_audio": 0.01}, more=more)
    odd = [make_cut("x", text="Café."), make_cut("y", text="?"), make_cut("z", text="?")]
    write_jsonl(path, [make_cut(f"c{i}") for i in range(11)] + odd)
    says = (
        r"3 of 14 cuts \(21\.43%\) are dropped for their content: 1 characters, 2 empty-text, e\.g\. y: .*max_dropped"
    )
    fails(tmp_path, monkeypatch, says, path, rules={"max_dropped": 0.2})
    write_jsonl(path, [make_cut(f"c{i}") for i in range(12)] + odd)
    call(tmp_path, monkeypatch, path, rules={"max_dropped": 0.2})


def test_what_train_has_is_not_lost_to_dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for number in range(2):
        (tmp_path / f"r{number}.wav").touch()
    used = tmp_path / "used.json"
    used.write_text(json.dumps({"recording": ["r0"], "speaker": [], "book": []}))
    write_jsonl(tmp_path / "dev.jsonl", [make_cut("a"), make_cut("b"), make_cut("c", "r1")])
    call(tmp_path, monkeypatch, tmp_path / "dev.jsonl", others=[used], rules={"max_dropped": 0.2})
    assert drops(tmp_path) == {"a": "in-train", "b": "in-train"}


def test_a_cut_without_id_is_named_by_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run(tmp_path, monkeypatch, [make_cut("good0"), changed("id", None)])
    assert drops(tmp_path) == {"cuts.jsonl.gz:2": "malformed"}


def test_texts_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    lhotse_like = changed("supervisions.0.custom", None)
    lhotse_like["supervisions"][0]["text"] = "It’s a well-known ‘thing’ — really…"
    del lhotse_like["supervisions"][0]["speaker"]
    spelled = make_cut("spelled")
    spelled["supervisions"][0]["custom"]["texts"] = ["Room 101.", "room one oh one"]
    left = run(tmp_path, monkeypatch, [lhotse_like, spelled])
    assert book_text(left[0]) == "It's a well-known 'thing' - really..."
    assert spoken_text(left[0]) == "IT'S A WELL KNOWN THING REALLY"
    assert left[0]["supervisions"][0]["speaker"] == "unknown"
    assert (book_text(left[1]), spoken_text(left[1])) == ("Room 101.", "ROOM ONE OH ONE")
    assert drops(tmp_path) == {}


def test_recordings_stay_together_and_shards_fill_evenly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    cuts = [make_cut(f"{r}-{i}", f"r{r}", duration=float(r + 1)) for r in range(9) for i in range(4)]
    left = run(tmp_path / "a", monkeypatch, cuts, shards=3)
    assert sorted(c["id"] for c in left) == sorted(c["id"] for c in cuts)
    shards = [list(read_cuts(tmp_path / f"a/shard{n}.jsonl.gz")) for n in range(3)]
    held = [{c["recording"]["id"] for c in shard} for shard in shards]
    assert sum(map(len, held)) == len(set.union(*held)) == 9
    assert max(sum(c["duration"] for c in s) for s in shards) < 1.6 * min(sum(c["duration"] for c in s) for s in shards)
    run(tmp_path / "b", monkeypatch, cuts, shards=3)
    for name in ("shard0.jsonl.gz", "shard1.jsonl.gz", "shard2.jsonl.gz", "dropped.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_several_manifests_are_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "r0.wav").touch()
    write_jsonl(tmp_path / "one.jsonl", [make_cut("a"), make_cut("b")])
    write_jsonl(tmp_path / "two.jsonl", [make_cut("b"), make_cut("c")])
    call(
        tmp_path,
        monkeypatch,
        tmp_path / "one.jsonl",
        more=["--manifest", tmp_path / "one.jsonl", tmp_path / "two.jsonl"],
    )
    assert [c["id"] for c in read_cuts(tmp_path / "shard0.jsonl.gz")] == ["a", "b", "c"]
    assert drops(tmp_path) == {"b": "duplicate-id"}


def fails(folder: Path, monkeypatch: pytest.MonkeyPatch, says: str, *arguments: object, **more: object) -> None:
    with pytest.raises((ValueError, OSError), match=says) as error:
        call(folder, monkeypatch, *arguments, **more)
    assert "\n" not in str(error.value)
    assert not list(folder.glob("*shard*"))  # neither half a file nor a left-over


def test_a_damaged_manifest_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "r0.wav").touch()
    path = tmp_path / "cuts.jsonl.gz"
    fails(tmp_path, monkeypatch, "cuts.jsonl.gz: no such file", path)
    write_jsonl(path, [make_cut(f"c{i}", custom={"x": os.urandom(200).hex()}) for i in range(200)])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    fails(tmp_path, monkeypatch, "cuts.jsonl.gz: damaged or truncated gzip after line", path)
    path.write_bytes(gzip.compress(json.dumps(make_cut("a")).encode() + b"\n{oops\n"))
    fails(tmp_path, monkeypatch, "cuts.jsonl.gz:2: not JSON", path)
    path.write_bytes(gzip.compress(b"[1, 2]\n"))
    fails(tmp_path, monkeypatch, "cuts.jsonl.gz:1: expected a JSON object", path)
    path.write_bytes(gzip.compress(b""))
    fails(tmp_path, monkeypatch, r"no usable cut \(dropped: none\)", path)


def test_nothing_left_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_jsonl(tmp_path / "cuts.jsonl.gz", [make_cut("a", text=""), make_cut("b", duration=99.0)])
    fails(
        tmp_path, monkeypatch, r"no usable cut \(dropped: 1 empty-text, 1 too-long, e.g. a:", tmp_path / "cuts.jsonl.gz"
    )


def test_wrong_folders_are_errors_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "cuts.jsonl.gz"
    write_jsonl(path, [make_cut("a"), make_cut("b", "r1")])
    fails(
        tmp_path, monkeypatch, "corpus.manifest.audio_root: .*nowhere is not a folder", path, root=tmp_path / "nowhere"
    )
    fails(tmp_path, monkeypatch, "not one of its 2 recordings exists.*corpus.manifest.audio_root", path)
    (tmp_path / "r0.wav").touch()
    fails(tmp_path, monkeypatch, "2 recordings do not fill 3 shards; lower corpus.shards", path, shards=3)


def test_one_missing_recording_is_left_to_the_alignment_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    stereo = make_cut("s", "r1")
    stereo["recording"].update(sampling_rate=44_100, channel_ids=[0, 1])
    assert len(run(tmp_path, monkeypatch, [make_cut("a"), make_cut("b", "missing"), stereo])) == 3
    told = capsys.readouterr().err
    assert "1 without a file, 1 to be resampled to 16000 Hz, 1 with several channels" in told


def test_the_command_line_says_one_line(tmp_path: Path):
    flags = ["--manifest", "none.jsonl", "--audio-root", tmp_path, "--shards", tmp_path / "s.jsonl.gz"]
    command = [sys.executable, "-m", "scripts.corpus.speech.manifest", *flags, "--dropped", tmp_path / "d.csv"]
    command += ["--config", json.dumps(RULES), "--recordings", tmp_path / "r.json"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "error: none.jsonl: no such file\n")


def test_rules_refuse_a_bad_character_class():
    with pytest.raises(ValueError, match=r"corpus\.characters: .* is not a regular-expression class"):
        Rules.parse(json.dumps({**RULES, "characters": "z-a"}))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, World!", "HELLO WORLD"),
        ("Don't -- 'tis the dogs' bone.", "DON'T TIS THE DOGS BONE"),
        ("twenty-one", "TWENTY ONE"),
        ("  ", ""),
        ("'", ""),
    ],
)
def test_normalise(text: str, words: str):
    assert to_words(text) == words
    assert to_words(words) == words


def test_digits_are_not_guessed():
    with pytest.raises(DropError, match="'1984'"):
        to_words("In 1984 it was.")


@pytest.mark.skipif(not AN4.exists(), reason="needs an4 in LibriHeavy's shape (set SHARED)")
def test_an4_passes_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    call(tmp_path, monkeypatch, AN4 / "libriheavy_cuts_small.jsonl.gz", shards=4, root=AN4)
    before = {c["id"]: c for c in read_cuts(AN4 / "libriheavy_cuts_small.jsonl.gz")}
    after = [c for n in range(4) for c in read_cuts(tmp_path / f"shard{n}.jsonl.gz")]
    assert {c["id"]: c for c in after} == before
    assert drops(tmp_path) == {}
    wave = read(after[0], AN4)
    assert len(wave) == round(after[0]["duration"] * 16_000)


def test_real_audio_of_another_kind_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What the manifest only announces, `audio.read` does: 22.05 kHz stereo comes out as 16 kHz mono."""
    other = make_cut("a")
    other["recording"].update(sampling_rate=22_050, num_samples=44_100, duration=2.0, channel_ids=[0, 1])
    left = run(tmp_path, monkeypatch, [other])
    soundfile.write(tmp_path / "r0.wav", np.full((44_100, 2), 0.1), 22_050)
    assert read(left[0], tmp_path).shape == (16_000,)
