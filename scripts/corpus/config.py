"""The configuration's section `corpus`, and the parts of it that the steps take."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, MinLen

from scripts.common.bounds import Name, Share, Text
from scripts.corpus.published.config import PublishedTask, published_set_problems
from scripts.corpus.speech.config import Folder, LibriHeavy, LibriSpeech, Manifest, NextUtterance, librispeech_problems

# Tasks of the world (whose pairs come in mirrored twos), and the fewest pairs that hold every stratum.
MIRRORED = {"swuggy": 2, "sblimp": 10, "topic-storycloze": 6}
Hours = Annotated[float, Gt(0), Le(1e7)]
Shards = Annotated[int, Ge(1), Le(100_000)]


@dataclass(frozen=True)
class Limits:
    """Lengths of cuts that are kept, and how much may be dropped."""

    max_seconds: Annotated[float, Gt(0), Le(86_400)]
    """longer cuts are dropped and counted"""
    min_seconds: Annotated[float, Ge(0), Le(86_400)]
    """shorter cuts are dropped and counted"""
    max_missing_audio: Share
    """share of a split's cuts, or a task's items, whose audio may be missing or damaged; more end the run"""
    max_dropped: Share
    """share of a split's cuts, or a task's items, that all other filters together may drop; more end the run"""

    def reason(self, seconds: float) -> str | None:
        """Why an utterance of this length is dropped, None if it is not."""
        if seconds < self.min_seconds:
            return "too-short"
        return "too-long" if seconds > self.max_seconds else None


@dataclass(frozen=True)
class CutRules(Limits):
    """What a cut must be to be kept."""

    characters: Text
    """inside of a regular-expression class; a text with any other character is dropped and counted"""


@dataclass(frozen=True)
class AllLimits(Limits):
    """How much of the corpus may be dropped, the items of its tasks included."""

    max_dropped_items: Share
    """share of a task's items that corpus and alignment together may drop; more end the run"""


@dataclass(frozen=True)
class SplitShards:
    """Files per split."""

    train: Shards
    """files of the train split"""
    dev: Shards
    """files of the dev split"""


@dataclass(frozen=True)
class SplitHours:
    """Speech to synthesise per split."""

    train: Hours
    """hours of speech of the train split"""
    dev: Hours
    """hours of speech of the dev split"""


@dataclass(frozen=True)
class Rate:
    """How fast the voices speak."""

    mean: Annotated[float, Ge(80), Le(450)]
    """words per minute"""
    jitter: Share
    """relative standard deviation per utterance"""


@dataclass(frozen=True)
class Pitch:
    """How high the voices are."""

    mean: Annotated[float, Ge(0), Le(99)]
    """espeak-ng's base pitch"""
    jitter: Share
    """relative standard deviation per utterance"""


@dataclass(frozen=True)
class Gain:
    """How loud an utterance is."""

    mean: Annotated[float, Ge(-200), Le(0)]
    """peak in decibels relative to full scale"""
    jitter: Annotated[float, Ge(0), Le(200)]
    """standard deviation in decibels"""


@dataclass(frozen=True)
class Task:
    """Size of a task that the world writes."""

    pairs: Annotated[int, Ge(2), Le(10_000_000)]
    """pairs of items, an even number, since they are mirrored: for swuggy a multiple of twice the number of exposures,
    for sblimp at least 10, for topic-storycloze at least 6"""
    voices: Annotated[int, Ge(1), Le(100_000)]
    """speakers that speak every pair"""
    exposures: Annotated[tuple[Annotated[int, Ge(1), Le(1_000_000)], ...], MinLen(1)] | None = None
    """swuggy alone: how often its words occur in train, from rare to frequent, as many pairs for each"""


@dataclass(frozen=True)
class Words:
    """What the world talks about."""

    lexicon: Literal["small", "full"]
    """topics and words of the world: small (6 topics) or full (14 topics, for larger runs)"""


@dataclass(frozen=True)
class Speakers:
    """Synthetic voices."""

    speakers: Annotated[int, Ge(1), Le(100_000)]
    """number of speakers; beyond the number of voices they differ in base pitch and rate"""


@dataclass(frozen=True)
class Speech(Speakers):
    """What text and voices share."""

    rate: Rate
    """words per minute; jitter: relative standard deviation of utterances"""


@dataclass(frozen=True)
class Script(Words, Speech):
    """What the text of the world depends on."""

    hours: SplitHours
    """hours of speech to synthesise per split, in paragraphs of 3 to 6 sentences"""
    isolated_words: Annotated[int, Ge(0), Le(1000)]
    """times that words are also spoken alone in train, save those that sWUGGY asks about; for all modalities"""


@dataclass(frozen=True)
class Voices(Speech):
    """How the text is spoken."""

    voices: Annotated[tuple[Text, ...], MinLen(1)]
    """espeak-ng voices, one per speaker, taken in turn"""
    pitch: Pitch
    """espeak-ng's base pitch, 0 to 99; jitter: relative standard deviation"""
    gain: Gain
    """peak in decibels relative to full scale; jitter: standard deviation in dB"""
    noise: Annotated[float, Ge(-300), Le(0)] | None
    """white noise in decibels relative to full scale; null for none"""


@dataclass(frozen=True)
class Tasks(Words, Speakers):
    """What the tasks of the world depend on."""

    tasks: dict[Literal["swuggy", "sblimp", "topic-storycloze"], Task]
    """zero-shot tasks that the world writes: pairs, and voices that speak each pair"""


@dataclass(frozen=True)
class World(Script, Voices, Tasks):
    """A small world of text that synthetic voices speak: corpus.source world."""


@dataclass(frozen=True)
class Corpus(CutRules, AllLimits):
    """Speech, its texts and the zero-shot tasks."""

    source: Literal["world", "manifest", "libriheavy", "librispeech", "folder"]
    """where the speech comes from: world (text written and spoken here), libriheavy, librispeech, folder (audio and
    texts) or manifest (Lhotse cuts)"""
    text: Literal["given", "book"]
    """of manifest, folder and librispeech: given (what was said; a digit drops the cut) or book (a printed page,
    read by the rules of LibriHeavy's texts)"""
    max_cer: Annotated[float, Gt(0), Le(1)] | None
    """of book texts: largest character error rate between book and the recogniser's transcript, where a cut has both;
    cuts above it are dropped and counted; null: not compared"""
    shards: SplitShards
    """files per split; one job each at synthesis, alignment and units"""
    prompts: Text
    """file of beginnings to continue, a YAML list of {id, topic, text}; the world's voices speak them where a run
    asks for them"""
    dev_tasks: dict[Name, NextUtterance]
    """of recorded speech: task name -> {pairs, context, negative}, which utterance of dev comes next
    (docs/testsets.md)"""
    world: World
    """for source world: a small world of text that synthetic voices speak"""
    manifest: Manifest
    """for source manifest: Lhotse cuts in LibriHeavy's schema"""
    libriheavy: LibriHeavy
    """for source libriheavy: the corpus of the paper"""
    librispeech: LibriSpeech
    """for source librispeech: subsets of LibriSpeech, or of anything in its layout"""
    folder: Folder
    """for source folder: sound files, each with its text"""

    @property
    def tasks(self) -> Mapping[str, Task | str | PublishedTask | NextUtterance]:
        """Tasks of the source and those made of dev, by name."""
        return {**getattr(self, self.source).tasks, **self.dev_tasks}


def problems(corpus: Corpus) -> Iterator[str]:
    """What is wrong between keys of the section, a line each."""
    if corpus.min_seconds >= corpus.max_seconds:
        yield f"corpus.min_seconds is {corpus.min_seconds}, not less than max_seconds"
    try:
        re.compile(f"[^{corpus.characters}]")
    except re.error as error:
        yield f"corpus.characters is not the inside of a regular-expression class ({error})"
    if corpus.source == "world":
        yield from task_problems(corpus.world)
    else:
        yield from _published_problems(corpus)
    yield from _dev_task_problems(corpus)
    if corpus.source == "manifest":
        for key in ("train", "dev", "audio_root"):
            if getattr(corpus.manifest, key) is None:
                yield f"corpus.manifest.{key} is not set; corpus.source manifest needs it"
    if corpus.source == "folder":
        if corpus.folder.audio_root is None:
            yield "corpus.folder.audio_root is not set; corpus.source folder needs it"
        if corpus.folder.train == corpus.folder.dev:
            yield "corpus.folder.train and dev are the same folder; they must be two"
        if (table := corpus.folder.table) is not None and table.train == table.dev:
            yield "corpus.folder.table.train and dev are the same file; they must be two"
    if corpus.source == "libriheavy" and (both := {*corpus.libriheavy.train} & {*corpus.libriheavy.dev}):
        yield f"corpus.libriheavy: {min(both)} is in train and in dev; dev: [] takes speakers out of train"
    if corpus.source == "librispeech":
        yield from librispeech_problems(corpus.librispeech)


def task_problems(world: Tasks) -> Iterator[str]:
    """What is wrong with the sizes of the world's tasks, a line each."""
    for name, task in world.tasks.items():
        where = f"corpus.world.tasks.{name}"
        if name in MIRRORED and task.pairs % 2:
            yield f"{where}.pairs is {task.pairs}; it must be a multiple of 2 (its pairs come in mirrored twos)"
        elif name in MIRRORED and task.pairs < MIRRORED[name]:
            yield f"{where}.pairs is {task.pairs}; its strata need at least {MIRRORED[name]}"
        if name == "swuggy":
            yield from _exposure_problems(task, where)
        elif task.exposures is not None:
            yield f"{where}.exposures is set; only swuggy has words that are planted"
        if task.voices > world.speakers:
            yield f"{where}.voices is {task.voices}, more than corpus.world.speakers = {world.speakers}"


def _exposure_problems(task: Task, where: str) -> Iterator[str]:
    """Levels of exposure that are missing, out of order or do not divide the pairs."""
    levels = task.exposures
    if levels is None:
        yield f"{where}.exposures is missing; how often its words occur in train, e.g. [1, 4, 16, 64, 256]"
        return
    if any(first >= second for first, second in pairwise(levels)):
        yield f"{where}.exposures is {list(levels)}; each must be greater than the one before"
    if task.pairs % 2 == 0 and task.pairs % (2 * len(levels)):
        yield (
            f"{where}.pairs is {task.pairs}; it must be a multiple of {2 * len(levels)}"
            f" (mirrored twos, as many for each of {len(levels)} exposures)"
        )


def _dev_task_problems(corpus: Corpus) -> Iterator[str]:
    """Tasks of dev's recordings that have no recordings, or the name of another task, a line each."""
    if corpus.dev_tasks and corpus.source == "world":
        yield f"corpus.dev_tasks names {min(corpus.dev_tasks)}; corpus.source world has tasks of its own"
        return
    for name in sorted({*corpus.dev_tasks} & {*getattr(corpus, corpus.source).tasks}):
        yield f"corpus.dev_tasks.{name} has the name of a task of corpus.{corpus.source}; rename it"


def _published_problems(corpus: Corpus) -> Iterator[str]:
    """Published test sets whose place or half is not given, or given twice."""
    for name, task in corpus.tasks.items():
        if not isinstance(task, PublishedTask):
            continue
        where = f"corpus.{corpus.source}.tasks.{name}"
        if (task.dataset is None) == (task.folder is None):
            yield f"{where} must have either dataset (it is downloaded) or folder (it is there)"
        yield from published_set_problems(task, where)
