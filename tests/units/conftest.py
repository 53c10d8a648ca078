"""A tiny corpus of hummed phones and a tiny untrained HuBERT."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from scripts.common.cuts import Cut
from scripts.common.files import write_jsonl
from tests.factories.cuts import HUMMED_PHONES, hummed_cut
from tests.factories.models import tiny_hubert


def write_audio(path: Path, cuts: list[Cut], seed: int) -> None:
    """One file that holds the cuts' speech: each phone its own two tones, and noise."""
    random = np.random.default_rng(seed)
    end = max(cut["start"] + cut["duration"] for cut in cuts)
    wave = 0.02 * random.standard_normal(round(end * 16000) + 1600)
    for cut in cuts:
        for phone, start, duration, _ in cut["supervisions"][0]["alignment"]["phone"]:
            a = round((cut["start"] + start) * 16000)
            time = np.arange(min(round(duration * 16000), len(wave) - a)) / 16000
            pitch = 150 * (2 + HUMMED_PHONES.index(phone))
            wave[a : a + len(time)] += 0.2 * np.sin(2 * np.pi * pitch * time) + 0.1 * np.sin(6 * np.pi * pitch * time)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, wave, 16000)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Two training shards and one dev shard, 3 speakers, utterances of 0.03 to 3 s."""
    root = tmp_path_factory.mktemp("corpus")
    manifests = {}
    for number, (shard, count) in enumerate([("train-0", 9), ("train-1", 6), ("dev-0", 5)]):
        random = np.random.default_rng(number)
        lengths = [*random.integers(8_000, 48_000, count - 1), 480]
        cuts: list[Cut] = []
        start = 0.25
        for i, samples in enumerate(map(int, lengths)):
            cuts.append(hummed_cut(f"{shard}-{i}", f"{shard}.flac", start, samples, f"speaker-{i % 3}"))
            start += round(samples / 16000 + 0.1, 3)
        write_audio(root / "audio" / f"{shard}.flac", cuts, number)
        manifests[shard] = str(root / f"{shard}.jsonl.gz")
        write_jsonl(manifests[shard], cuts)
    return SimpleNamespace(
        root=str(root / "audio"),
        train=[manifests["train-0"], manifests["train-1"]],
        dev=manifests["dev-0"],
        folder=root,
    )


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A saved tiny encoder."""
    from scripts.units import encoder

    folder = tmp_path_factory.mktemp("encoder")
    encoder.save(tiny_hubert(), True, folder)
    return str(folder)
