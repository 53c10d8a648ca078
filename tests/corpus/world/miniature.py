"""The world at the size of the default configuration, written once for all tests of its text."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from scripts.common.files import write_jsonl
from scripts.common.seeds import generator
from scripts.corpus.config import Script, Task
from scripts.corpus.world.planting import Planting
from scripts.corpus.world.story import load_grammar
from scripts.corpus.world.vocabulary import WORLD, Lexicon, load_lexicon
from scripts.corpus.world.write import SHORT, Paragraph, task_sentences, write_corpus
from scripts.corpus.world.write_tasks import WRITERS
from tests.factories.settings import configured

SEED = 1
SECTION: dict[str, Any] = {
    "lexicon": "small",
    "hours": {"train": 8.0, "dev": 0.2},
    "speakers": 4,
    "isolated_words": 0,
    "rate": {"mean": 180, "jitter": 0.05},
    "tasks": {
        "swuggy": {"pairs": 170, "voices": 4, "exposures": (1, 4, 16, 64, 256)},
        "sblimp": {"pairs": 800, "voices": 1},
        "topic-storycloze": {"pairs": 450, "voices": 1},
    },
}


@cache
def lexicon() -> Lexicon:
    return load_lexicon("small")


@cache
def items(task: str) -> list[dict[str, Any]]:
    return list(WRITERS[task](Task(**SECTION["tasks"][task]), 4, lexicon(), WORLD, SEED))


@cache
def forbidden() -> frozenset[str]:
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{task}.jsonl.gz" for task in WRITERS]
        for path, task in zip(paths, WRITERS, strict=True):
            write_jsonl(path, items(task))
        return frozenset(task_sentences(paths))


@cache
def exposures() -> dict[str, int]:
    """How often train holds each word that swuggy asks about."""
    return {item["positive"]["text"]: item["exposure"] for item in items("swuggy")}


@cache
def paragraphs(split: str) -> list[Paragraph]:
    """As scripts.corpus.world.write writes them: train without the sentences of dev."""
    taken = set(forbidden())
    if split == "train":
        taken |= {s.key for p in paragraphs("dev") for s in p.sentences if len(s.words) > SHORT}
    config = configured(Script, "corpus.world", **SECTION)
    rng = generator(SEED, "corpus", "write", split)
    planting = Planting(exposures() if split == "train" else {}, rng)
    return write_corpus(split, config, lexicon(), load_grammar(WORLD), rng, taken, planting)


def texts(split: str) -> list[list[str]]:
    """Words of every sentence."""
    return [list(s.words) for p in paragraphs(split) for s in p.sentences]


def words_of(side: dict[str, Any]) -> list[str]:
    return [word["word"] for word in side["words"]]


def phones_of(side: dict[str, Any]) -> list[str]:
    return [phone for word in side["words"] for phone in word["phones"].split()]


def accuracy(positives: list[float], negatives: list[float]) -> float:
    """Share of pairs whose positive side scores higher; a tie counts half."""
    pairs = list(zip(positives, negatives, strict=True))
    return sum(1.0 if p > n + 1e-9 else 0.0 if p < n - 1e-9 else 0.5 for p, n in pairs) / len(pairs)
