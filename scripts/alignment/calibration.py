"""Thresholds under which an alignment is dropped, calibrated on the training sample by the length of the utterance.

What right texts score depends on the model: the median is -0.8 with 1,000 Gaussians on synthetic speech, -1.4 with
6,000 on the readers that they were trained on and -5.6 on others. It also depends on the length: the score is a mean
over frames, and a word of half a second deviates more than a sentence. So both kinds of text are scored, at several
lengths: runs of 1, 2, 4, ... words of the sample with their own text, and runs of the same audio with the words of
another cut that have about as many phones. The threshold of a length lies halfway between the score that RIGHT_SHARE
of its right texts fail and the score that WRONG_SHARE of its wrong texts fail. It thus leaves room on both sides: for
right texts that score lower than the sample's (other speakers, isolated words), and for texts that are wrong in part.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np

from scripts.alignment.confidence import LikelihoodBound
from scripts.alignment.decoding_graph import Graphs, min_frames, segments
from scripts.alignment.lexicon import Entry
from scripts.alignment.training_sample import TrainingSample
from scripts.common.files import read_json, write_json
from scripts.common.seeds import generator

FILE = "thresholds.json"  # in the model's folder
WORDS = (1, 2, 4, 8, 16, 32)  # words of a run
CUTS = 500  # of the sample, whose order is balanced over speakers
WRONG_RUNS, WRONG_SECONDS = 300, 150.0  # runs per length that are aligned with a wrong text, and their audio
MIN_RIGHT_RUNS = 100  # per length, below which nothing is estimated
MIN_WRONG_RUNS = 20  # the same with a path
RIGHT_SHARE = 0.005
WRONG_SHARE = 0.95
CANDIDATES = 20  # runs with the next numbers of phones among which a wrong text is looked for


@dataclass(frozen=True)
class Run:
    """Consecutive words of a cut: its index, frames [start, end), words, and score per frame minus the bound's."""

    cut: int
    start: int
    end: int
    entries: tuple[Entry, ...]
    score: float


@dataclass(frozen=True)
class Thresholds:
    """Lowest score per frame, minus the likelihood bound's, of an alignment that is kept, by number of frames.

    Attributes:
        frames: lengths, rising; in between the threshold is interpolated over the logarithm of the length.
        scores: the threshold at each.
    """

    frames: tuple[float, ...]
    scores: tuple[float, ...]

    def __call__(self, frames: int) -> float:
        """The threshold for an utterance of so many frames; minus infinity if none could be calibrated."""
        if not self.frames:
            return -np.inf
        return float(np.interp(np.log(frames), np.log(self.frames), self.scores))


def thresholds(value: float | Literal["auto"], model: str | Path) -> Thresholds:
    """The thresholds that `alignment.min_log_likelihood` stands for: a number, or those in a model's folder.

    Raises:
        ValueError: it is auto and the folder has none, or a damaged file.
    """
    if value != "auto":
        return Thresholds((1.0,), (float(value),))
    path = Path(model) / FILE
    if not path.exists():
        raise ValueError(
            f"{path} is missing: an older version trained this model; delete the folder, so that it is trained again,"
            " or set alignment.min_log_likelihood to a number"
        )
    try:
        rows = [(float(row["frames"]), float(row["threshold"])) for row in read_json(path)["lengths"]]
    except (KeyError, TypeError):
        raise ValueError(f"{path}: expected lengths with frames and threshold, as alignment/train writes") from None
    if any(a[0] >= b[0] for a, b in pairwise(rows)):
        raise ValueError(f"{path}: frames must rise from length to length")
    return Thresholds(tuple(frames for frames, _ in rows), tuple(score for _, score in rows))


def calibrate(graphs: Graphs, sample: TrainingSample, beam: tuple[float, float], seed: int) -> list[dict[str, Any]]:
    """What right and wrong texts of the sample score at each length, and the thresholds in between.

    Args:
        graphs: compiler and search, which knows all words of the sample.
        sample: the training sample.
        beam: as of the alignment.
        seed: draws the wrong texts.

    Returns:
        Per length with enough runs: words, frames (median), right and wrong (scores that RIGHT_SHARE and WRONG_SHARE
        fail), threshold, and the numbers of runs behind them.
    """
    bound = LikelihoodBound(graphs.model.gaussians())
    limits: list[np.ndarray] = []  # per cut [T + 1]: sums of the bound up to each frame
    by_words: dict[int, list[Run]] = {words: [] for words in WORDS}
    for cut, (words, matrix) in enumerate(zip(sample.entries[:CUTS], sample.all_features(), strict=False)):
        limits.append(np.concatenate([[0.0], np.cumsum(bound.frames(matrix), dtype=np.float64)]))
        path = graphs.search(graphs.compile(words), matrix, *beam)
        if path is None:
            continue
        phones = [(p.start, p.end, p.score, p.begins_word) for p in segments(graphs.model, *path)]
        for count, runs in by_words.items():
            runs += runs_of(cut, words, phones, limits[-1], count)

    def wrong_score(run: Run, words: Sequence[Entry]) -> float | None:
        matrix = np.ascontiguousarray(sample.features(run.cut)[run.start : run.end])
        path = graphs.search(graphs.compile(words), matrix, *beam) if len(matrix) >= min_frames(words) else None
        if path is None:
            return None
        total = sum(p.score * (p.end - p.start) for p in segments(graphs.model, *path))
        return (total - (limits[run.cut][run.end] - limits[run.cut][run.start])) / (run.end - run.start)

    rows: list[dict[str, Any]] = []
    wrong: list[float] = []
    for count, runs in by_words.items():
        if len(runs) < MIN_RIGHT_RUNS:
            break
        frames = float(np.median([run.end - run.start for run in runs]))
        affordable = int(WRONG_SECONDS * 1000 / graphs.model.frame_shift_ms / frames)
        pairs = wrong_texts(runs, min(max(affordable, MIN_WRONG_RUNS), WRONG_RUNS), seed)
        found = [score for run, words in pairs if (score := wrong_score(run, words)) is not None]
        # Long runs with a wrong text mostly have no path at all; few scores would estimate no quantile.
        wrong = found if len(found) >= MIN_WRONG_RUNS else wrong
        if not wrong or (rows and frames <= rows[-1]["frames"]):
            continue
        right = float(np.quantile([run.score for run in runs], RIGHT_SHARE))
        highest = float(np.quantile(wrong, WRONG_SHARE))
        rows.append(
            {
                "words": count,
                "frames": frames,
                "right": round(right, 4),
                "wrong": round(highest, 4),
                "threshold": round((right + highest) / 2, 4),
                "right_runs": len(runs),
                "wrong_runs": len(pairs),
                "wrong_runs_with_a_path": len(found),
            }
        )
    return rows


def runs_of(
    cut: int,
    words: Sequence[Entry],
    phones: Sequence[tuple[int, int, float, bool]],
    limit: np.ndarray,
    count: int,
) -> list[Run]:
    """The runs of `count` words of an aligned cut, from its beginning, without overlap.

    Args:
        cut: its index.
        words: its words.
        phones: (start, end, score per frame, begins a word) of each, SIL included.
        limit: sums of the likelihood bound, [T + 1].
        count: words of a run.
    """
    first = [index for index, phone in enumerate(phones) if phone[3]]
    totals = np.concatenate([[0.0], np.cumsum([(end - start) * score for start, end, score, _ in phones])])
    runs = []
    for word in range(0, len(first) - count + 1, count):
        begin = first[word]
        end = first[word + count] if word + count < len(first) else len(phones)
        start_frame, end_frame = phones[begin][0], phones[end - 1][1]
        score = totals[end] - totals[begin] - (limit[end_frame] - limit[start_frame])
        text = tuple(words[word : word + count])
        runs.append(Run(cut, start_frame, end_frame, text, score / (end_frame - start_frame)))
    return runs


def wrong_texts(runs: Sequence[Run], number: int, seed: int) -> list[tuple[Run, tuple[Entry, ...]]]:
    """`number` runs, each with another run's words: about as many phones, and no word in common where there is one."""
    random = generator(seed, "alignment/calibration", len(runs[0].entries))
    phones = np.array([min_frames(run.entries) for run in runs])
    order = np.lexsort((random.permutation(len(runs)), phones)).tolist()
    pairs = []
    for place in np.sort(random.permutation(len(order))[:number]).tolist():
        run = runs[order[place]]
        near = [runs[order[(place + step) % len(order)]].entries for step in range(1, min(CANDIDATES, len(order)))]
        others = [words for words in near if not set(words) & set(run.entries)]
        different = others or [words for words in near if words != run.entries]
        if different:
            pairs.append((run, different[0]))
    return pairs


def write_thresholds(folder: Path, rows: list[dict[str, Any]]) -> None:
    """Write the file that `thresholds` reads."""
    write_json(folder / FILE, {"right_share": RIGHT_SHARE, "wrong_share": WRONG_SHARE, "lengths": rows})


def described(rows: Sequence[dict[str, Any]]) -> str:
    """The thresholds in a line, for the log."""
    if not rows:
        return "too few words to calibrate min_log_likelihood: auto drops no alignment for its score"
    lengths = ", ".join(f"{row['threshold']:.1f} at {row['frames']:.0f} frames" for row in rows)
    return f"min_log_likelihood: auto is {lengths}"
