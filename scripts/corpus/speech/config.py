"""The parts of the configuration's section `corpus` that name recorded speech, one for each such source."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt, MinLen, MultipleOf

from scripts.common.bounds import Text, Unique
from scripts.common.config import shown
from scripts.corpus.published.config import GivenTasks

# Subsets that resources/datasets.yaml can fetch, as librispeech-<subset>: those of OpenSLR 12 and 31.
PUBLISHED_SUBSETS = (
    *("train-clean-5", "dev-clean-2", "train-clean-100", "train-clean-360", "train-other-500"),
    *("dev-clean", "dev-other", "test-clean", "test-other"),
)
Part = Literal["small", "medium", "large", "dev", "test-clean", "test-other"]


@dataclass(frozen=True)
class Manifest:
    """Lhotse cuts in LibriHeavy's schema: corpus.source manifest."""

    train: Text | None
    """Lhotse cuts of the train split (jsonl or jsonl.gz), in LibriHeavy's schema"""
    dev: Text | None
    """Lhotse cuts of the dev split, of other speakers or books"""
    audio_root: Text | None
    """folder that the audio paths of the cuts are relative to"""
    lexicon: Text | None
    """file of further pronunciations, `WORD PH ON ES` per line; CMUdict comes first"""
    tasks: GivenTasks
    """task name -> items file (jsonl.gz), or a published test set (docs/testsets.md)"""


@dataclass(frozen=True)
class LibriHeavy:
    """The corpus of the paper: corpus.source libriheavy."""

    train: Annotated[tuple[Part, ...], MinLen(1), Unique()]
    """parts of the train split: small, medium, large, dev, test-clean, test-other"""
    dev: Annotated[tuple[Part, ...], Unique()]
    """parts of the dev split; [] takes speakers out of train's parts"""
    held_out: Annotated[float, Gt(0), Lt(1)]
    """share of train's speakers that are assigned to dev where dev is []"""
    manifests: Text | None
    """folder of libriheavy_cuts_<part>.jsonl.gz; null: fetched into download.folder"""
    audio_root: Text | None
    """folder above download/librilight/; null: fetched into download.folder"""
    split_exclusion: Annotated[tuple[Literal["speaker", "book"], ...], Unique()]
    """what dev must not share with train, besides recordings"""
    lexicon: Text | None
    """file of further pronunciations, as in manifest"""
    tasks: GivenTasks
    """task name -> items file or published test set, as in manifest"""


@dataclass(frozen=True)
class TableColumns:
    """Where a table of files has what; the defaults are Common Voice's names."""

    file: Text = "path"
    """column of the sound file's path below audio_root"""
    text: Text = "sentence"
    """column of what is said"""
    speaker: Text | None = "client_id"
    """column of who says it; null: unknown"""


@dataclass(frozen=True)
class SoundTable(TableColumns):
    """A table of files and texts per split, as Common Voice publishes them."""

    train: Text = "train.tsv"
    """table (.tsv or .csv, its first line names the columns) of the train split"""
    dev: Text = "dev.tsv"
    """table of the dev split"""


@dataclass(frozen=True)
class Folder:
    """Audio files with a text of the same name beside each: corpus.source folder."""

    audio_root: Text | None
    """folder of sound files (.wav, .flac, .mp3, .ogg, ...), at any depth, each with a text (name.txt) beside it"""
    train: Text
    """its sub-folder with the train split"""
    dev: Text
    """its sub-folder with the dev split"""
    table: SoundTable | None
    """instead of texts and sub-folders: a table of file, text and speaker per split, {train: train.tsv, dev:
    dev.tsv} (docs/data.md)"""
    lexicon: Text | None
    """file of further pronunciations, as in manifest"""
    tasks: GivenTasks
    """task name -> items file or published test set, as in manifest"""


@dataclass(frozen=True)
class LibriSpeech:
    """Subsets of LibriSpeech, or of anything in its layout: corpus.source librispeech."""

    audio_root: Text | None
    """folder of the subsets' folders and SPEAKERS.TXT; null: fetched into download.folder"""
    train: Annotated[tuple[Text, ...], MinLen(1), Unique()]
    """subsets of the train split, by the names of their folders"""
    dev: Annotated[tuple[Text, ...], Unique()]
    """subsets of the dev split; [] takes speakers out of train's subsets"""
    held_out: Annotated[float, Gt(0), Lt(1)]
    """share of train's speakers that are assigned to dev where dev is []"""
    lexicon: Text | None
    """file of further pronunciations, as in manifest"""
    tasks: GivenTasks
    """task name -> items file or published test set, as in manifest"""


@dataclass(frozen=True)
class NextUtterance:
    """A task of dev's recordings: which of two utterances continues the context (docs/testsets.md)."""

    pairs: Annotated[int, Ge(2), Le(10_000_000), MultipleOf(2)]
    """pairs of items, an even number, since they come in mirrored twos"""
    context: Annotated[int, Ge(1), Le(100)] = 1
    """consecutive utterances before the continuation"""
    negative: Literal["another-chapter", "same-chapter"] = "another-chapter"
    """source of the negative continuation: another-chapter (of the same speaker where possible) or same-chapter (a
    minute away or more, so that voice and recording are the same)"""


def librispeech_problems(section: LibriSpeech) -> Iterator[str]:
    """Subsets that are in both splits, that nobody publishes, or whose name is a path, a line each."""
    if both := {*section.train} & {*section.dev}:
        yield f"corpus.librispeech: {min(both)} is in train and in dev; dev: [] takes speakers out of train"
    for split in ("train", "dev"):
        for subset in getattr(section, split):
            if "/" in subset or subset in (".", ".."):
                yield f"corpus.librispeech.{split}: {shown(subset)} is not the name of a folder below audio_root"
            elif section.audio_root is None and subset not in PUBLISHED_SUBSETS:
                yield (
                    f"corpus.librispeech.{split}: {shown(subset)} cannot be fetched; set audio_root, or take"
                    f" {', '.join(PUBLISHED_SUBSETS)}"
                )
