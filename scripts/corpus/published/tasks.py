"""Convert a published test set to task items, with audio paths relative to the folder it was unpacked in.

Texts and lengths of the items are not checked yet: `scripts.corpus.speech.manifest_tasks` does so next.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.files import write_csv, write_jsonl
from scripts.corpus.config import Limits
from scripts.corpus.drops import COLUMNS, examples_of, format_counts
from scripts.corpus.losses import hold_to_limits
from scripts.corpus.published import slm21, storycloze
from scripts.corpus.published.config import PublishedSet, published_set_problems
from scripts.corpus.published.phone_sets import unmapped_summary


def main() -> None:
    """Command line of rule corpus_published_tasks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", required=True)
    parser.add_argument("--folder", type=Path, required=True, help="where the test set was unpacked")
    parser.add_argument("--config", required=True, help="JSON: format, split, transcripts")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--dropped", type=Path, required=True)
    parser.add_argument("--limits", required=True, help="JSON: shares of pairs that may be dropped")
    args = parser.parse_args()
    where = f"corpus.manifest.tasks.{args.task}"
    config = parse(PublishedSet, args.config, where, lambda entry: published_set_problems(entry, where))
    limits = parse(Limits, args.limits, "corpus")
    if not args.folder.is_dir():
        raise ValueError(f"{where}: {args.folder} is not a folder")
    drops: list[dict[str, str]] = []
    unmapped: Counter[str] = Counter()
    if config.format == "storycloze":
        table = storycloze.read_transcripts(Path(config.transcripts)) if config.transcripts else None
        items = storycloze.read_items(args.folder, table, drops)
    else:
        assert config.split is not None, "published_set_problems refuses sLM21 without its half"
        items = slm21.read_items(args.folder, config.format.removeprefix("slm21-"), config.split, drops, unmapped)
    count = write_jsonl(args.out, ({**item, "task": args.task} for item in items))
    write_csv(args.dropped, COLUMNS, drops)
    reasons = Counter(row["reason"] for row in drops)
    summary = format_counts(reasons) or "none"
    if unmapped:
        print(
            f"corpus/tasks {args.task}: phones without a place in CMUdict: {unmapped_summary(unmapped)}",
            file=sys.stderr,
        )
    if not count:
        example = f", e.g. {drops[0]['id']}: {drops[0]['detail']}" if drops else ""
        raise ValueError(f"{args.folder}: no usable pair (dropped: {summary}{example})")
    hold_to_limits(f"corpus/tasks {args.task}", reasons, count, limits, examples_of(drops), "pairs")
    print(f"corpus/tasks {args.task}: {count} items; dropped: {summary}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
