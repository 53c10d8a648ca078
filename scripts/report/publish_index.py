"""The front of the published folders: README.md with the factors' costs, the configuration, scores and SHA256SUMS."""

import argparse
import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from scripts.common.cli import run
from scripts.common.files import atomic_path, read_csv
from scripts.report import hub_card
from scripts.report.hub_card import Origin
from scripts.report.labels import display_name
from scripts.report.render import format_interval

BLOCK = 1 << 20
SUMS = "SHA256SUMS"
CHANGE = ["change_points", "points_ci_low", "points_ci_high"]
FACTOR_COLUMNS = ["factor", "baseline", "modality", "task", "metric", *CHANGE]


def factor_table(path: Path) -> str:
    """Markdown: what each factor costs on each task, in points of accuracy."""
    lines = ["| factor | from | to | task | change in points |", "|---|---|---|---|---|"]
    for row in read_csv(path, FACTOR_COLUMNS):
        if row["metric"] == "accuracy":
            points, low, high = (float(row[column]) for column in CHANGE)
            change = format_interval(points, low, high, sign=True)
            names = (display_name(row[column]) for column in ("baseline", "modality", "task"))
            lines.append(f"| {row['factor']} | {' | '.join(names)} | {change} |")
    return "\n".join(lines)


def front(origin: Origin, folders: Sequence[str], factors: Path | None) -> str:
    """The README of all published folders."""
    listed = "\n".join(f"- [{name}]({name}/README.md)" for name in folders)
    sections = [
        f"# {origin.experiment}",
        "Language models of the modalities between text and speech, trained from scratch on one corpus, with the tokens"
        " that they were trained on. Each folder can be uploaded to a model or dataset hub by itself; `SHA256SUMS`"
        " lists every file (`sha256sum --check SHA256SUMS`).",
        listed,
    ]
    if factors is not None:
        sections.append(hub_card.section("What each factor costs", factor_table(factors), hub_card.WITHOUT_SEEDS))
    return "\n\n".join([*sections, hub_card.provenance(origin)]) + "\n"


def digest(path: Path) -> str:
    """SHA-256 of a file's content, read in blocks."""
    seen = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            seen.update(block)
    return seen.hexdigest()


def remove_others(root: Path, folders: Sequence[str]) -> None:
    """Remove published folders of modalities that the configuration no longer has; print each."""
    for kind in ("models", "tokens"):
        for path in sorted((root / kind).glob("*")):
            if f"{kind}/{path.name}" not in folders:
                print(f"removed {path}: not in the configuration")
                shutil.rmtree(path)


def checksums(root: Path, parts: Sequence[str]) -> str:
    """Lines of SHA256SUMS for these files and every file of these folders, without hidden ones (Snakemake's marks)."""
    paths = [path for part in parts for path in (root / part, *(root / part).rglob("*")) if path.is_file()]
    names = sorted(str(path.relative_to(root)) for path in paths if not path.name.startswith("."))
    return "".join(f"{digest(root / name)}  {name}\n" for name in names)


def main() -> None:
    """Command line of rule publish_index."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folders", nargs="+", required=True, help="published folders, relative to --root")
    parser.add_argument("--root", type=Path, required=True, help="the folder of all of them")
    parser.add_argument("--scores", nargs="+", required=True, help="tables that are copied to scores/")
    parser.add_argument("--factors", type=Path, help="report/tables/factors.csv, where there are factors")
    parser.add_argument("--config", required=True, help="JSON: the resolved configuration")
    parser.add_argument(
        "--origin", type=hub_card.read_origin, required=True, help="JSON: experiment, seed, license, data"
    )
    args = parser.parse_args()
    remove_others(args.root, args.folders)
    (args.root / "scores").mkdir(exist_ok=True)
    hub_card.copy_files(args.scores, args.root / "scores")
    text = front(args.origin, args.folders, args.factors)
    (args.root / "README.md").write_text(text, encoding="utf-8")
    (args.root / "config.json").write_text(json.dumps(json.loads(args.config), indent=2) + "\n", encoding="utf-8")
    with atomic_path(args.root / SUMS) as aside:
        parts = ["README.md", "config.json", "scores", *args.folders]
        aside.write_text(checksums(args.root, parts), encoding="utf-8")


if __name__ == "__main__":
    run(main)
