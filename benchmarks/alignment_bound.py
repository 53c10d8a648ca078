"""Speed of alignment with 40,000 Gaussians on real speech, and what preselecting Gaussians changes.

Run `OMP_NUM_THREADS=1 python -m benchmarks.alignment_bound [--speech FOLDER] [--folder KEPT]` from the repository root.
FOLDER holds subsets of LibriSpeech (the default, Mini LibriSpeech, is OpenSLR 31); the first two readers are held out.
KEPT keeps the model for the next call. Times are of the processor.

A decision compares the score of a cut, or of a run of its words, with a threshold. Right and wrong texts are scored
with the bound over all Gaussians, and with the lower one over preselected Gaussians, which alone decides where it
leaves a margin above the threshold. The threshold of a length is set as in scripts/alignment/calibration.py.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import yaml

from scripts.alignment import train as training
from scripts.alignment.align import Aligner
from scripts.alignment.calibration import RIGHT_SHARE, WORDS, WRONG_SHARE, Thresholds, runs_of
from scripts.alignment.confidence import LikelihoodBound, affine_terms, margin
from scripts.alignment.config import Aligning, Training
from scripts.alignment.decoding_graph import Graphs, segments
from scripts.alignment.features import FeatureExtractor
from scripts.alignment.lexicon import Dictionary, Entry, OutOfVocabularyError, read_lexicon
from scripts.alignment.model import AcousticModel, load, save
from scripts.alignment.training_sample import extract_features
from scripts.common.config import keys_of, parse, part_json
from scripts.common.cuts import Cut, speaker, supervision
from scripts.common.files import read_jsonl, write_jsonl

SPEECH = Path(os.environ.get("SHARED", "../shared")) / "mini-librispeech/LibriSpeech"
HELD_OUT = 2  # readers
SECTION = yaml.safe_load(Path("config.yaml").read_text(encoding="utf-8"))["alignment"] | {"oov": "drop"}
MONOPHONES = {"sample_hours": 0.3, "gaussians": 500, "iterations": 10}
TRIPHONES = {"iterations": 5, "triphone": {"leaves": 4000, "gaussians": 40000}}
SPLIT_FRAMES = 8.0  # frames per Gaussian, fewer than Kaldi's 20: a few hours must do
WHOLE = 0  # "words" of a decision about a whole cut

Scores = dict[tuple[int, bool], list[list[float]]]  # words of a run, right text: frames, score, score of the near


def step(module: str, **flags: object) -> None:
    """Run a step of the workflow quietly."""
    given = [part for key, value in flags.items() for part in (f"--{key.replace('_', '-')}", value)]
    words = [json.dumps(word) if isinstance(word, dict) else str(word) for word in given]
    subprocess.run([sys.executable, "-m", module, *words], check=True, capture_output=True)


def prepare(speech: Path, folder: Path) -> None:
    """Write train.jsonl.gz, dev.jsonl.gz (the readers held out) and lexicon.txt."""
    cuts: list[Cut] = []
    for subset in sorted(path for path in speech.iterdir() if path.is_dir()):
        step(
            "scripts.corpus.speech.librispeech",
            audio_root=speech,
            subset=subset,
            out=folder / "cuts.jsonl.gz",
            dropped=folder / "dropped.csv",
            limits={"min_seconds": 0.1, "max_seconds": 60, "max_missing_audio": 1, "max_dropped": 1},
        )
        cuts += read_jsonl(folder / "cuts.jsonl.gz")
    for cut in cuts:
        text = supervision(cut)["text"]
        supervision(cut)["custom"] = {"texts": [text.lower(), text]}
    held_out = sorted({speaker(cut) for cut in cuts})[:HELD_OUT]
    write_jsonl(folder / "train.jsonl.gz", [cut for cut in cuts if speaker(cut) not in held_out])
    write_jsonl(folder / "dev.jsonl.gz", [cut for cut in cuts if speaker(cut) in held_out])
    write_jsonl(folder / "all.jsonl.gz", cuts)
    step("scripts.corpus.pronounce", cuts=folder / "all.jsonl.gz", out=folder / "lexicon.txt")


def train(speech: Path, folder: Path) -> None:
    """Write a model of 4,000 leaves and 40,000 Gaussians: `folder`/model."""
    given = {key: (SECTION | MONOPHONES)[key] for key in keys_of(Training)}
    common = {"audio_root": speech, "lexicon": folder / "lexicon.txt", "seed": 1}
    step("scripts.alignment.train", cuts=folder / "train.jsonl.gz", config=given, out=folder / "mono", **common)
    mono = load(folder / "mono")
    words = Dictionary(read_lexicon(folder / "lexicon.txt"), mono.phones, None)
    cuts = list(read_jsonl(folder / "train.jsonl.gz"))
    sample, _ = extract_features(cuts, str(speech), words, mono.frame_shift_ms, folder)
    config = parse(Training, part_json(SECTION | TRIPHONES, Training), "alignment")
    training.SPLIT_FRAMES = SPLIT_FRAMES
    model, _ = training.train_triphones(mono, sample, config, 1)
    (folder / "model").mkdir()
    save(model, folder / "model")


def time_alignment(
    name: str,
    bound: LikelihoodBound,
    lowest: Thresholds,
    words: Dictionary,
    model: AcousticModel,
    cuts: list[Cut],
    root: Path,
) -> None:
    """Align cuts as a job does, with this bound, and print how fast."""
    config = parse(Aligning, part_json(SECTION, Aligning), "alignment")
    aligner = Aligner(model, words, cuts, str(root), config, lowest, "bench")
    seconds = 0.0

    def timed(features: np.ndarray, limit: float) -> float:
        nonlocal seconds
        began = time.process_time()
        value = bound(features, limit)
        seconds += time.process_time() - began
        return value

    aligner.bound = timed  # type: ignore[assignment]
    began = time.process_time()
    for cut in cuts:
        aligner.align(cut)
    total = time.process_time() - began
    print(
        f"{name}: {aligner.seconds:.0f} s of audio at {aligner.seconds / total:.0f} x real time, without the bound"
        f" {aligner.seconds / (total - seconds):.0f} x; the bound takes {seconds / total:.0%} of the time",
        flush=True,
    )


def scores(model: AcousticModel, bound: LikelihoodBound, words: Dictionary, cuts: list[Cut], root: Path) -> Scores:
    """Scores of cuts and of runs of their words, with right and wrong texts."""
    assert bound.selection is not None
    texts: dict[str, list[Entry]] = {}
    for cut in cuts:
        try:
            texts[cut["id"]] = words.entries(cut)
        except OutOfVocabularyError:
            continue
    known = sorted((cut for cut in cuts if cut["id"] in texts), key=lambda cut: (cut["duration"], cut["id"]))
    graphs = Graphs(model, {entry for entries in texts.values() for entry in entries})
    extractor = FeatureExtractor(known, str(root), model.frame_shift_ms)
    found: Scores = defaultdict(list)
    for place, cut in enumerate(known):
        matrix = extractor(cut)
        frames = (bound.frames(matrix), bound.selection.best(affine_terms(matrix)))
        sums = [np.concatenate([[0.0], np.cumsum(each, dtype=np.float64)]) for each in frames]
        for right, other in ((True, cut), (False, known[place - 1])):
            entries = texts[other["id"]]
            path = graphs.search(graphs.compile(entries), matrix, *SECTION["beam"])
            if path is None:
                continue
            phones = [(p.start, p.end, p.score, p.begins_word) for p in segments(model, *path)]
            likelihood = sum((end - start) * value for start, end, value, _ in phones)
            found[WHOLE, right].append([len(matrix), *((likelihood - each[-1]) / len(matrix) for each in sums)])
            for count in WORDS:
                both = (runs_of(place, entries, phones, each, count) for each in sums)
                found[count, right] += [[a.end - a.start, a.score, b.score] for a, b in zip(*both, strict=True)]
    return found


def compare(found: Scores) -> Thresholds:
    """Print on how many decisions the two bounds agree; the thresholds of the lengths."""
    rows = []
    total = differing = 0
    for count in (WHOLE, *WORDS):
        right, wrong = (np.array(found[count, kind]) for kind in (True, False))
        if not len(right) or not len(wrong):  # no cut has so many words
            continue
        threshold = (np.quantile(right[:, 1], RIGHT_SHARE) + np.quantile(wrong[:, 1], WRONG_SHARE)) / 2
        frames, every, near = np.concatenate([right, wrong]).T
        missed, limits = near - every, np.array([margin(length) for length in frames])
        sure = near > threshold + limits
        differ = int(np.sum(sure & (every < threshold)))
        name = f"runs of {count} words" if count else "whole cuts"
        print(
            f"{name:<16} {len(right):>5} right, {len(wrong):>5} wrong texts, threshold {threshold:6.2f}; preselection"
            f" misses {missed.mean():.3f} on average, {missed.max():.2f} and {np.max(missed / limits):.0%} of the"
            f" margin at most; it decides {np.mean(sure[: len(right)]):.2%} of right texts; {differ} decisions differ",
            flush=True,
        )
        total, differing = total + len(every), differing + differ
        if count:
            rows.append((float(np.median(frames)), float(threshold)))
    print(f"{differing} of {total} decisions differ; {1 - differing / total:.3%} agree", flush=True)
    return Thresholds(*map(tuple, zip(*rows, strict=True)))


def spread(cuts: list[Cut], number: int) -> list[Cut]:
    """So many cuts at equal distances in the list."""
    return cuts[:: max(1, len(cuts) // number)][:number]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speech", type=Path, default=SPEECH, help="subsets in LibriSpeech's layout")
    parser.add_argument("--folder", type=Path, help="where the model is kept")
    parser.add_argument("--cuts", type=int, default=60, help="cuts of the held-out readers")
    args = parser.parse_args()
    if not args.speech.is_dir():
        print(f"not measured: {args.speech} does not exist; --speech names a folder in LibriSpeech's layout")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = args.folder or Path(name)
        if not (folder / "lexicon.txt").exists():
            folder.mkdir(parents=True, exist_ok=True)
            prepare(args.speech, folder)
        if not (folder / "model").exists():
            train(args.speech, folder)
        model = load(folder / "model")
        words = Dictionary(read_lexicon(folder / "lexicon.txt"), model.phones, None)
        cuts = spread(list(read_jsonl(folder / "dev.jsonl.gz")), args.cuts)
        print(f"{model.num_gaussians} Gaussians, {model.num_states} states", flush=True)
        every = LikelihoodBound(model.gaussians(), most=model.num_gaussians)
        began = time.process_time()
        near = LikelihoodBound(model.gaussians())
        print(f"clustering the Gaussians takes {time.process_time() - began:.1f} s per job", flush=True)
        lowest = compare(scores(model, near, words, cuts, args.speech))
        for label, bound in (("all Gaussians", every), ("preselected", near)):
            time_alignment(label, bound, lowest, words, model, cuts, args.speech)


if __name__ == "__main__":
    main()
