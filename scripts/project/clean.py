"""Delete what an experiment made: all of it, a stage and what follows from it, or training states alone.

Notable: says first what would go, how many bytes that is and how long the jobs took that made it; deletes only after a
yes. Stages that stand in another experiment's folder (`share`) stay; those that others use are not deleted.
"""

import argparse
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from scripts.common.cli import run
from scripts.common.files import csv_rows, read_json
from scripts.common.stages import STAGES
from scripts.project.share import shared_stages


class Part(NamedTuple):
    """What stands together and goes together.

    Attributes:
        name: a stage, "checkpoints", or "rest": what belongs to no stage.
        paths: files and folders.
        size: bytes, of links their own.
        seconds: of all jobs that made it, added up; 0 where none was recorded.
    """

    name: str
    paths: list[Path]
    size: int
    seconds: float


def following(stage: str) -> list[str]:
    """The stage and those that are made from it."""
    after = STAGES[STAGES.index(stage) :]
    return [name for name in after if (stage, name) != ("evaluation", "continuation")]  # these two do not meet


def parts_of(folder: Path, stages: Sequence[str]) -> list[Part]:
    """These stages of an experiment, each with its logs and benchmarks; with all of them also what is left."""
    parts = []
    for stage in stages:
        places = [folder / stage, folder / "logs" / stage, folder / "benchmarks" / stage]
        places += [folder / "report.html"] * (stage == "report")
        parts.append(_part(stage, places, _seconds(folder / "benchmarks" / stage)))
    if set(stages) == set(STAGES):
        known = {path for part in parts for path in part.paths}
        left = [path for path in folder.iterdir() if path not in known and path.name not in ("logs", "benchmarks")]
        left += [path for name in ("logs", "benchmarks") for path in folder.glob(f"{name}/*") if path not in known]
        parts.append(_part("rest", left, sum(_seconds(path) for path in left if path.parent.name == "benchmarks")))
    return [part for part in parts if part.paths]


def checkpoints_of(folder: Path) -> list[Part]:
    """States that a training would go on from; finished models do not need them."""
    paths = [path for path in sorted(folder.rglob("*checkpoints")) if path.is_dir() and not path.is_symlink()]
    return [_part("checkpoints", paths, 0.0)] if paths else []


def _part(name: str, places: Iterable[Path], seconds: float) -> Part:
    paths = [path for path in places if path.is_symlink() or path.exists()]
    files = [file for path in paths for file in _within(path) if file.is_symlink() or file.is_file()]
    return Part(name, paths, sum(file.lstat().st_size for file in files), seconds)


def _within(path: Path) -> Iterable[Path]:
    return [path] if path.is_symlink() else [path, *path.rglob("*")]


def _seconds(benchmarks: Path) -> float:
    total = 0.0
    for path in sorted(benchmarks.rglob("*.tsv")):
        total += sum(float(row["s"]) for row in csv_rows(path, ["s"], delimiter="\t"))
    return total


def users(results: Path, name: str) -> dict[str, str]:
    """Experiments that use stages of this one, with the last stage that they use."""
    last_shared = {}
    for file in sorted(results.glob("*/config.json")):
        share = _config(file.parent)["share"]
        if share["with"] == name:
            last_shared[file.parent.name] = share["through"]
    return last_shared


def _config(folder: Path) -> dict[str, Any]:
    """The configuration that an experiment was run with; without one, or from an older version, it shares nothing."""
    file = folder / "config.json"
    config = read_json(file) if file.is_file() else {}
    return {"share": {"with": None}} | config


def removal_table(parts: Sequence[Part]) -> str:
    """A table of what would go."""
    lines = [f"{'':14}{'size':>10}{'time of its jobs':>20}"]
    total = Part("total", [], sum(p.size for p in parts), sum(p.seconds for p in parts))
    for part in [*parts, *([total] if len(parts) > 1 else [])]:
        took = _duration(part.seconds) if part.seconds else "not recorded"
        lines.append(f"{part.name:14}{_bytes(part.size):>10}{took:>20}")
    return "\n".join(lines)


def _bytes(size: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{seconds:.0f} s" if seconds < 100 else f"{minutes // 60} h {minutes % 60:02d} min"


def select(results: Path, name: str, stage: str | None, *, checkpoints: bool) -> list[Part]:
    """What is to be deleted.

    Args:
        results: the folder of all experiments.
        name: the experiment's.
        stage: the first stage to delete; None for the whole experiment.
        checkpoints: only training states, of all stages.

    Raises:
        ValueError: there is nothing, a run is going on, or another experiment uses a stage that would go.
    """
    folder = results / name
    if Path(name).name != name:
        raise ValueError(f"{name!r} is not the name of an experiment, which is a folder in {results}")
    check_free(results)
    if stage and checkpoints:
        raise ValueError("STAGE and CHECKPOINTS exclude each other: training states are deleted of all stages")
    stages = following(stage) if stage else STAGES
    if not checkpoints:
        for user, through in users(results, name).items():
            if set(stages) & set(STAGES[: STAGES.index(through) + 1]):
                raise ValueError(f"results/{user} uses the stages of {folder} up to {through}; delete that one first")
    if folder.is_symlink() or not folder.is_dir():
        raise ValueError(f"nothing to delete: there is no folder {folder}")
    parts = checkpoints_of(folder) if checkpoints else parts_of(folder, stages)
    if not parts:
        raise ValueError(f"nothing to delete in {folder}")
    return parts


def check_free(results: Path) -> None:
    """ValueError if a run is going on."""
    if any((results.parent / ".snakemake/locks").glob("*")):
        raise ValueError("a run holds this folder (.snakemake/locks); wait for it, or snakemake --unlock if it is dead")


def delete(parts: Iterable[Part], folder: Path) -> None:
    """Delete the parts' paths, and the folder's empty folders."""
    for path in (path for part in parts for path in part.paths):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    for empty in (folder / "logs", folder / "benchmarks", folder):
        if empty.is_dir() and not any(empty.iterdir()):
            empty.rmdir()


def main() -> None:
    """Command line of `make clean`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="the experiment's: its folder under results/")
    parser.add_argument("--stage", choices=STAGES, help="delete this stage and what follows from it")
    parser.add_argument("--checkpoints", action="store_true", help="delete training states only")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    arguments = parser.parse_args()
    results, name = Path("results"), arguments.name
    parts = select(results, name, arguments.stage, checkpoints=arguments.checkpoints)
    print(f"would go from {results / name}:\n{removal_table(parts)}")
    for stage, owner in shared_stages(_config(results / name)).items():
        print(f"the stage {stage} is in {results / owner} and stays")
    if not arguments.yes:
        if not sys.stdin.isatty():
            raise ValueError("nothing was deleted: nobody is here to be asked; --yes (make clean YES=1) deletes")
        if input("delete? [y/N] ").strip().lower() not in ("y", "yes"):
            raise ValueError("nothing was deleted")
        check_free(results)  # a run may have begun since the question
    delete(parts, results / name)


if __name__ == "__main__":
    run(main)
