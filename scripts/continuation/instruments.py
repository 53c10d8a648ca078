"""Whether recogniser and judge work on real speech and text; where they fail, a continuation's number is no result.

The recogniser fails if its word error rate on held-out speech, or on the same speech resynthesised by the vocoder, is
above `continuation.max_recogniser_error`. The judge fails if its perplexity of real text of dev, per word, is above
`continuation.max_judge_perplexity`. Per word rather than per token, so that judges of different vocabularies are held
to one limit. 1,000 per word is 10 bits, about the entropy of a model that knows only how frequent each English word is.

Perplexities need the judge. All counts of words need the recogniser where the continuation was spoken. The length and
the silence of a continuation need neither.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.common.files import MAKE_AGAIN, read_csv
from scripts.continuation.config import Limits
from scripts.continuation.recogniser_errors import COPIED, HELD_OUT

YES = "yes"  # in column `measurable`; else the reason why not
CONTROLS = {HELD_OUT: "held-out speech", COPIED: "its copy through the vocoder"}
JUDGED = "perplexity"  # how the metrics that the judge makes begin
OF_TOKENS = ("at_limit_share", "silence")  # metrics that need no transcript


def recogniser_rows(path: Path) -> list[dict[str, str]]:
    """The rows of recogniser.csv; ValueError naming the file, if one of CONTROLS is missing."""
    rows = read_csv(path, ["speech", "word_error_rate"])
    if missing := CONTROLS.keys() - {row["speech"] for row in rows}:
        raise ValueError(f"{path}: has no row of {', '.join(sorted(missing))}. {MAKE_AGAIN}")
    return rows


def judge_row(path: Path) -> dict[str, str]:
    """The row of judge.csv; ValueError naming the file, if it holds another number of them than one."""
    rows = read_csv(path, ["word_perplexity"])
    if len(rows) != 1:
        raise ValueError(f"{path}: has {len(rows)} rows, expected one. {MAKE_AGAIN}")
    return rows[0]


def recogniser_failure(rows: Sequence[Mapping[str, str]], limits: Limits) -> str:
    """Why transcripts cannot be trusted, from the rows of recogniser.csv; empty if they can."""
    errors = {row["speech"]: float(row["word_error_rate"]) for row in rows}
    found = [
        f"{100 * errors[speech]:.0f}% on {words}"
        for speech, words in CONTROLS.items()
        if errors[speech] > limits.max_recogniser_error
    ]
    limit = f"more than {100 * limits.max_recogniser_error:g}% (continuation.max_recogniser_error)"
    return f"the recogniser's word error rate is {' and '.join(found)}, {limit}" if found else ""


def judge_failure(row: Mapping[str, str], limits: Limits) -> str:
    """Why perplexities cannot be trusted, from the row of judge.csv; empty if they can."""
    perplexity = float(row["word_perplexity"])
    if perplexity <= limits.max_judge_perplexity:
        return ""
    return (
        f"the judge's perplexity of real dev text is {perplexity:,.0f} per word, more than"
        f" {limits.max_judge_perplexity:,g} (continuation.max_judge_perplexity)"
    )


def measurable(metric: str, *, spoken: bool, recogniser: str, judge: str) -> str:
    """YES, or why a metric is no result, given the failures of either instrument.

    Args:
        metric: of summary.csv.
        spoken: the continuations were synthesised and transcribed.
        recogniser: its failure, or empty.
        judge: its failure, or empty.
    """
    reasons = [recogniser] * (spoken and metric not in OF_TOKENS) + [judge] * metric.startswith(JUDGED)
    return "; ".join(reason for reason in reasons if reason) or YES
