"""The part of the configuration's section `corpus` that names published test sets."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from scripts.common.bounds import Name, Text


@dataclass(frozen=True)
class PublishedSet:
    """What is read of a published test set."""

    format: Literal["slm21-lexical", "slm21-syntactic", "storycloze"]
    """layout of the test set"""
    split: Literal["dev", "test"] | None = None
    """sLM21's half"""
    transcripts: Text | None = None
    """StoryCloze's texts, a file of lines <name><TAB><text>"""


@dataclass(frozen=True)
class PublishedTask(PublishedSet):
    """A test set in its published layout, and where it is."""

    dataset: Text | None = None
    """a name in resources/datasets.yaml; it is downloaded"""
    folder: Text | None = None
    """the unpacked test set, instead of a dataset"""


GivenTasks = dict[Name, Text | PublishedTask]


def published_set_problems(task: PublishedSet, where: str) -> Iterator[str]:
    """Keys of a published test set that its format does not have, or misses; `where` is its path."""
    is_story = task.format == "storycloze"
    if is_story and task.split:
        yield f"{where}.split is set; storycloze has no halves"
    if not is_story and not task.split:
        yield f"{where}.split is missing; dev or test"
    if task.transcripts and not is_story:
        yield f"{where}.transcripts is set; sLM21 holds its own texts"
