"""A program that computes units: its files, its numbers, and every way in which it can fail."""

import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from scripts.common.audio import read
from scripts.common.files import read_jsonl, write_jsonl
from scripts.common.frames import SAMPLE_RATE, frame_count
from scripts.units import run_command
from scripts.units.run_command import compute, portions
from tests.factories.cuts import make_cut

# A tokenizer in a few lines: the loudness of every frame, in ten steps.
TOKENIZER = """
import sys
import numpy as np, soundfile
with open(sys.argv[1]) as files, open(sys.argv[2], "w") as units:
    for name in files.read().splitlines():
        wave, rate = soundfile.read(name)
        assert rate == 16000 and wave.ndim == 1
        count = (len(wave) - 80) // 320
        frames = np.abs(wave[: 320 * count].reshape(count, 320)).mean(axis=1)
        units.write(" ".join(str(min(9, int(20 * x))) for x in frames) + "\\n")
"""


@pytest.fixture
def cuts(tmp_path: Path):
    rng = np.random.default_rng(0)
    found = []
    for number in range(3):
        wave = rng.uniform(-0.5, 0.5, SAMPLE_RATE) * np.linspace(0, 1, SAMPLE_RATE)
        soundfile.write(tmp_path / f"r{number}.wav", wave, SAMPLE_RATE, subtype="PCM_16")
        cut = make_cut(f"u{number}", duration=1.0 - 0.1 * number)
        cut["recording"]["sources"][0]["source"] = f"r{number}.wav"
        found.append(cut)
    return found


def program(folder: Path, text: str, arguments: str = "{files} {units}") -> str:
    script = folder / "my tokenizer.py"  # a space, as in the folders of users
    script.write_text(text)
    return f"{sys.executable} '{script}' {arguments}"


def test_units_are_those_of_the_program(cuts, tmp_path: Path):
    rows = compute(cuts, tmp_path, program(tmp_path, TOKENIZER), 60)
    for cut, row in zip(cuts, rows, strict=True):
        wave = read(cut, tmp_path)
        count = frame_count(len(wave))
        loudness = np.abs(wave[: 320 * count].reshape(count, 320)).mean(axis=1)
        assert row == [min(9, int(20 * x)) for x in loudness.tolist()]


def test_a_shard_becomes_lines_with_each_cut_once(cuts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(run_command, "PORTION_HOURS", 1.5 / 3600)  # the program runs twice
    lines = list(run_command.lines([*cuts, cuts[0]], tmp_path, program(tmp_path, TOKENIZER), 60, "dev/0"))
    assert [line["id"] for line in lines] == ["u0", "u1", "u2"]
    assert [len(line["units"]) for line in lines] == [frame_count(round(SAMPLE_RATE * s)) for s in (1.0, 0.9, 0.8)]


def test_portions_hold_at_most_so_many_hours_and_at_least_one_cut():
    cuts = [make_cut(f"u{i}", duration=seconds) for i, seconds in enumerate([3.0, 3.0, 9.0, 1.0])]
    found = [[cut["id"] for cut in portion] for portion in portions(cuts, 6 / 3600)]
    assert found == [["u0", "u1"], ["u2"], ["u3"]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import sys; print('no model'); sys.exit(3)", "ended with 3; its last line of output: no model"),
        ("", "succeeded but did not write {units}"),
        ("import sys; open(sys.argv[2], 'w').write('1 2\\n')", "wrote 1 lines for 3 files; expected one per file"),
        ("import sys; open(sys.argv[2], 'w').write('1 2\\n1 -2\\n3\\n')", "line 2 that .* is '1 -2'; expected whole"),
        ("import sys; open(sys.argv[2], 'w').write('1.5\\n2\\n3\\n')", "line 1 that .* is '1.5'; expected whole"),
        ("import time; time.sleep(60)", "had not ended after units.command_timeout, 2 seconds"),
    ],
)
def test_every_failure_is_one_line(cuts, tmp_path: Path, text: str, message: str):
    with pytest.raises(ValueError, match=f"^units.command: .*{message}") as caught:
        compute(cuts, tmp_path, program(tmp_path, text), 2 if "sleep" in text else 60)
    assert "\n" not in str(caught.value)


def test_a_program_that_is_not_there(cuts, tmp_path: Path):
    with pytest.raises(ValueError, match=r"^units\.command: no-such-program cannot run"):
        compute(cuts, tmp_path, "no-such-program {files} {units}", 60)


def test_processes_of_a_program_that_takes_too_long_end_with_it(cuts, tmp_path: Path):
    mark = tmp_path / "mark"
    child = f"import time; time.sleep(4); open({str(mark)!r}, 'w')"
    text = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(60)"
    with pytest.raises(ValueError, match="had not ended"):
        compute(cuts, tmp_path, program(tmp_path, text), 2)
    time.sleep(4)
    assert not mark.exists()


def test_shards_are_read_through_the_command_line(cuts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_jsonl(tmp_path / "cuts.jsonl.gz", cuts)
    monkeypatch.setattr(
        "sys.argv",
        ["run_command", "--cuts", str(tmp_path / "cuts.jsonl.gz"), "--audio-root", str(tmp_path), "--command",
         program(tmp_path, TOKENIZER), "--timeout", "60", "--out", str(tmp_path / "out.jsonl.gz")],
    )  # fmt: skip
    run_command.main()
    assert [line["id"] for line in read_jsonl(tmp_path / "out.jsonl.gz")] == ["u0", "u1", "u2"]
