"""A small spoken world with true phone times, and an acoustic model trained on it."""

import json
import re
from pathlib import Path
from typing import Any

from scripts.alignment.config import Training
from scripts.common.files import write_jsonl
from scripts.corpus.config import Limits
from scripts.corpus.world.grammar import Sentence
from scripts.corpus.world.script import side
from scripts.corpus.world.vocabulary import load_lexicon
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
STORIES = Path(__file__).with_name("stories.tsv")
CONFIG = {"sample_hours": 0.15, "gaussians": 800, "iterations": 25}


def write_script(folder: Path) -> None:
    """The stories as scripts of the world: <split>/0.jsonl.gz."""
    lexicon = load_lexicon("full")
    scripts: dict[str, list[dict[str, Any]]] = {"train": [], "dev": []}
    for line in STORIES.read_text().splitlines():
        if line.startswith("#"):
            continue
        split, name, chapter, speaker, text = line.split("\t")
        tokens = re.findall(r"[A-Za-z]+|[.,]", text)
        scripts[split].append(
            {"id": name, "speaker": speaker, "chapter": chapter, **side([Sentence(tuple(tokens))], lexicon)}
        )
    for split, lines in scripts.items():
        write_jsonl(folder / split / "0.jsonl.gz", lines)


def speak_world(folder: Path) -> None:
    """Folder with audio/, train.jsonl.gz, dev.jsonl.gz, dev.truth.jsonl.gz, lexicon.txt."""
    write_script(folder / "script")
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
