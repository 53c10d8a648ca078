"""A small spoken world with true phone times, and an acoustic model trained on it."""

import json
from pathlib import Path

from scripts.alignment.config import Training
from scripts.corpus.config import Limits
from tests.factories.settings import settings
from tests.factories.steps import step

VOICES = {
    "voices": ["en-us+m1", "en-us+f2", "en-us+m3", "en-us+f4"],
    "speakers": 4,
    "rate": {"mean": 180, "jitter": 0.05},
    "pitch": {"mean": 50, "jitter": 0.05},
    "gain": {"mean": -3.0, "jitter": 1.0},
    "noise": -60.0,
}
SCRIPT = {
    "lexicon": "full",
    "hours": {"train": 0.2, "dev": 0.1},
    "speakers": 4,
    "isolated_words": 0,
    "rate": VOICES["rate"],
}
CONFIG = {"sample_hours": 0.2, "gaussians": 800, "iterations": 25}


def speak_world(folder: Path) -> None:
    """Folder with audio/, train.jsonl.gz, dev.jsonl.gz, dev.truth.jsonl.gz, lexicon.txt."""
    step("scripts.corpus.world.write", "--config", json.dumps(SCRIPT), "--shards", '{"train": 1, "dev": 1}', "--seed",
         7, "--out", folder / "script")  # fmt: skip
    for split in ("train", "dev"):
        step("scripts.corpus.world.speak", "--script", folder / f"script/{split}/0.jsonl.gz", "--audio",
             folder / "audio" / split, "--source", split, "--cuts", folder / f"{split}.jsonl.gz",
             "--truth", folder / f"{split}.truth.jsonl.gz", "--dropped", folder / f"{split}.csv",
             "--config", json.dumps(VOICES), "--limits", settings(Limits, "corpus"),
             "--seed", 7)  # fmt: skip
    step("scripts.corpus.pronounce", "--cuts", folder / "train.jsonl.gz", folder / "dev.jsonl.gz", "--scripts",
         folder / "script/train/0.jsonl.gz", folder / "script/dev/0.jsonl.gz", "--out",
         folder / "lexicon.txt")  # fmt: skip


def speak_unseen(world: Path) -> None:
    """Cuts and truth of the dev script spoken by four voices that no model of these tests was trained on."""
    voices = VOICES | {"voices": ["en-us+m2", "en-us+f1", "en-us+m7", "en-us+f3"]}
    step("scripts.corpus.world.speak", "--script", world / "script/dev/0.jsonl.gz", "--audio",
         world / "audio/unseen", "--source", "unseen", "--cuts", world / "unseen.jsonl.gz", "--truth",
         world / "unseen.truth.jsonl.gz", "--dropped", world / "unseen.csv", "--config", json.dumps(voices),
         "--limits", settings(Limits, "corpus"), "--seed", 8)  # fmt: skip


def train_aligner(world: Path, model: Path) -> None:
    """An acoustic model trained on the world."""
    step("scripts.alignment.train", "--cuts", world / "train.jsonl.gz", "--audio-root", world / "audio",
         "--lexicon", world / "lexicon.txt", "--config", settings(Training, "alignment", **CONFIG),
         "--seed", 7, "--out", model)  # fmt: skip
