"""A modality's scores as a ZeroSpeech 2021 submission: `{lexical,syntactic}/{dev,test}.txt`, meta.yaml, params.yaml.

A line is `<filename> <score>`, with the normalized score (`evaluation.score_normalization`). The validator requires a
line for every sound file of the set, so files whose pair was dropped, or has no score in this modality, get the lowest
score of the set: both sides of such a pair tie and count 0.5. Their number is given in the log and in meta.yaml.
Source: zerospeech2021 0.9, meta.py and lexical.py; the toolbox zerospeech-benchmarks for params.yaml.
"""

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.cuts import speaker
from scripts.common.files import atomic_directory, read_csv
from scripts.corpus.published.slm21 import find_gold, read_gold
from scripts.evaluation.accuracy import SCORE_NORMALIZATIONS, normalise
from scripts.evaluation.config import Submission
from scripts.evaluation.items import read_items

# Required by the validator for tasks that are not in this submission.
PARAMETERS: dict[str, dict[str, Any]] = {
    "phonetic": {"metric": "cosine", "frame_shift": 0.02},
    "semantic": {"metric": "cosine", "pooling": "mean"},
}


@dataclass(frozen=True)
class Part:
    """A file of the submission: its kind (lexical, syntactic), split (dev, test), test set, items and scores."""

    kind: str
    split: str
    folder: Path
    items: Path
    scores: Path

    @classmethod
    def parse(cls, text: str) -> "Part":
        """From JSON."""
        fields = json.loads(text)
        return cls(
            fields["kind"], fields["split"], Path(fields["folder"]), Path(fields["items"]), Path(fields["scores"])
        )


def file_scores(part: Part, score_normalization: str) -> tuple[dict[str, float], int]:
    """Score by file name, sorted by name, and the number of files without a score of their own."""
    score_by_name: dict[str, float] = {}
    rows = {(row["id"], row["voice"]): row for row in read_csv(part.scores, ["id", "voice", "dropped"])}
    for item in read_items(part.items):
        row = rows[item["id"], speaker(item["positive"])]
        if row["dropped"]:
            continue
        for side in ("positive", "negative"):
            logprob, tokens = np.array(float(row[f"logprob_{side}"])), int(row[f"tokens_{side}"])
            score_by_name[item[side]["id"]] = float(
                normalise(logprob, tokens, float(row[f"seconds_{side}"]), score_normalization)
            )
    lowest = min(score_by_name.values())
    gold = read_gold(find_gold(part.folder, part.kind, part.split), part.kind)
    names = sorted({row["filename"].removesuffix(".wav") for row in gold})
    return {name: score_by_name.get(name, lowest) for name in names}, sum(name not in score_by_name for name in names)


def main() -> None:
    """Command line of rule evaluation_submission."""
    import yaml

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modality", required=True)
    parser.add_argument("--parts", nargs="+", required=True, type=Part.parse, help="JSON per file")
    parser.add_argument("--score-normalization", required=True, choices=SCORE_NORMALIZATIONS)
    parser.add_argument("--meta", required=True, help="JSON: the section evaluation.submission")
    parser.add_argument("--out", required=True, type=Path, help="folder to write")
    arguments = parser.parse_args()
    submission = parse(Submission, arguments.meta, "evaluation.submission")
    summaries: list[str] = []
    with atomic_directory(arguments.out) as folder:
        for part in arguments.parts:
            scores, missing = file_scores(part, arguments.score_normalization)
            path = folder / part.kind / f"{part.split}.txt"
            path.parent.mkdir(exist_ok=True)
            path.write_text("".join(f"{name} {score!r}\n" for name, score in scores.items()), encoding="utf-8")
            summaries.append(f"{part.kind}/{part.split}: {missing} of {len(scores)} files without a score of their own")
        about = f"{submission.description} ({arguments.modality}; {'; '.join(summaries)})"
        meta: dict[str, Any] = {**asdict(submission), "description": about, "parameters": PARAMETERS}
        (folder / "meta.yaml").write_text(yaml.safe_dump(meta, sort_keys=False, allow_unicode=True), encoding="utf-8")
        params = {"quiet": False, "semantic": {**PARAMETERS["semantic"], "synthetic": False, "librispeech": False}}
        (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")
    print(f"evaluation/submission {arguments.modality}: {'; '.join(summaries)}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
