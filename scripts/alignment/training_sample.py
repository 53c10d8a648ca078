"""The sample that the acoustic model is trained on: words in memory, features in a file without a name.

Only what each pass needs of one utterance is in memory, so that memory hardly depends on the sample's hours: 19 MB of
disk per hour.
"""

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from scripts.alignment.decoding_graph import min_frames
from scripts.alignment.features import FeatureExtractor, add_deltas
from scripts.alignment.lexicon import Dictionary, Entry, OutOfVocabularyError
from scripts.common import audio
from scripts.common.cuts import Cut, speaker
from scripts.common.progress import Progress

COEFFICIENTS = 13


class TrainingSample:
    """Utterances with their words and features; the file disappears with the object, or the process.

    Args:
        folder: an existing folder on the disk that is to hold the features.

    Attributes:
        ids: of the cuts.
        entries: their words with pronunciations.
        seconds: of all cuts together.
        speakers: names.
    """

    def __init__(self, folder: Path):
        self.ids: list[str] = []
        self.entries: list[list[Entry]] = []
        self.seconds = 0.0
        self.speakers: set[str] = set()
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - it lives as long as the sample
        self._ends = [0]  # in frames
        self._known: dict[Entry, Entry] = {}

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, cut: Cut, entries: list[Entry], static: np.ndarray) -> None:
        """Append a cut with its MFCC minus their mean, float32 [T, 13]."""
        self._file.seek(0, 2)
        self._file.write(np.ascontiguousarray(static, np.float32).tobytes())
        self._ends.append(self._ends[-1] + len(static))
        self.ids.append(cut["id"])
        self.entries.append([self._known.setdefault(entry, entry) for entry in entries])
        self.seconds += cut["duration"]
        self.speakers.add(speaker(cut))

    def features(self, index: int) -> np.ndarray:
        """Features of a cut, float32 [T, 39]."""
        frames = self._ends[index + 1] - self._ends[index]
        self._file.seek(self._ends[index] * COEFFICIENTS * 4)
        content = self._file.read(frames * COEFFICIENTS * 4)
        static = np.frombuffer(content, np.float32).reshape(frames, COEFFICIENTS)
        return np.ascontiguousarray(add_deltas(static))

    def all_features(self) -> Iterator[np.ndarray]:
        """The features of every cut, in order."""
        return map(self.features, range(len(self)))

    def vocabulary(self) -> list[Entry]:
        """Every word with its pronunciations, once."""
        return list(self._known)


def extract_features(
    cuts: list[Cut], root: str, words: Dictionary, frame_shift_ms: float, folder: Path
) -> tuple[TrainingSample, Counter[str]]:
    """The usable cuts with their features in a file of `folder`, and the counts of reasons for which others dropped."""
    sample, dropped = TrainingSample(folder), Counter[str]()
    extractor = FeatureExtractor(cuts, root, frame_shift_ms)
    progress = Progress("alignment/features", len(cuts), "cuts")
    for number, cut in enumerate(cuts, start=1):
        progress.update(number)
        try:
            entries = words.entries(cut)
            static = extractor.static(cut)
        except OutOfVocabularyError:
            dropped["oov"] += 1
        except audio.AudioError as error:
            dropped[error.reason] += 1
        else:
            if entries and len(static) >= min_frames(entries):
                sample.add(cut, entries, static)
            else:
                dropped["alignment-failed"] += 1
    return sample, dropped


def moments(sample: TrainingSample) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of the frames' features, float64 [39] each."""
    count = 0
    total = 0.0
    for matrix in sample.all_features():
        count += len(matrix)
        total = total + matrix.sum(axis=0, dtype=np.float64)
    mean = np.asarray(total / count)
    squares = sum(((matrix - mean) ** 2).sum(axis=0) for matrix in sample.all_features())
    return mean, np.asarray(squares / count)
