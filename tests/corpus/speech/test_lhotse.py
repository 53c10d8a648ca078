"""The recipes of docs/data.md, run unchanged on corpora of the published layouts, give cuts that are accepted."""

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from scripts.common.cuts import book_text, read_cuts, spoken_text
from tests.corpus.speech.test_manifest import call, drops

RECIPES = re.findall(r"```python\n(.*?)```", Path("docs/data.md").read_text(), re.DOTALL)


def speak(path: Path, rate: int = 16_000) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.full(rate, 0.1), rate)


def cuts_of(name: str, data: Path, monkeypatch: pytest.MonkeyPatch, manifest: str) -> list[dict]:
    """Run the recipe that names `name`, then our own step on one of the files it writes."""
    (recipe,) = [text for text in RECIPES if name in text]
    monkeypatch.chdir(data)
    exec(compile(recipe.replace("/data/", f"{data}/"), name, "exec"), {})
    call(data, monkeypatch, data / manifest)
    return list(read_cuts(data / "shard0.jsonl.gz"))


def test_ljspeech(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "LJSpeech-1.1"
    for number in range(1, 4):
        speak(folder / f"wavs/LJ001-000{number}.wav", 22_050)
    verbalised = "In fourteen fifty-five, Printing"
    table = (f"LJ001-000{number}|In 1455, Printing|{verbalised}\n" for number in range(1, 4))
    (folder / "metadata.csv").write_text("".join(table))
    cuts = cuts_of("prepare_ljspeech", tmp_path, monkeypatch, "train.jsonl.gz")
    assert [(book_text(c), spoken_text(c)) for c in cuts] == [
        ("In 1455, Printing", "IN FOURTEEN FIFTY FIVE PRINTING")
    ] * 2
    assert drops(tmp_path) == {}


def test_kaldi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "kaldi/train"
    speak(folder / "one.flac")
    files = {"wav.scp": f"rec1 {folder}/one.flac", "segments": "utt1 rec1 0.1 0.6", "text": "utt1 hello you"}
    for name, content in {**files, "utt2spk": "utt1 s1"}.items():
        (folder / name).write_text(content + "\n")
    (cut,) = cuts_of("load_kaldi_data_dir", tmp_path, monkeypatch, "train.jsonl.gz")
    assert (cut["id"], cut["start"], cut["duration"], spoken_text(cut)) == ("utt1", 0.1, 0.5, "HELLO YOU")
