"""Write the plan of a run: jobs, hours, bytes and tokens by stage, as text, csv and a figure.

Jobs are counted by Snakemake's dry run; all other numbers are computed by formulas (`scripts.plan.work`) from the
configuration and the sizes and speeds in its section `plan`.
"""

import argparse
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.common.cli import run
from scripts.common.files import atomic_path, read_json, read_text, write_csv
from scripts.plan import costs
from scripts.plan.amounts import Amounts, left_out
from scripts.plan.costs import Cost
from scripts.plan.jobs import dry_run_jobs
from scripts.plan.memory import needed_gb
from scripts.plan.profile import Profile
from scripts.plan.storage import storage


def number(value: float) -> str:
    """Three significant digits, with commas: 0.0123, 4.56, 1,230."""
    if value == 0:
        return "0"
    if value >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{float(f'{value:.3g}'):.10g}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> str:
    """A text table. The first column, and the last one if `words` > 1, are aligned left, the others right."""
    lines = [list(header), *(list(row) for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(header))]
    lines.insert(1, ["-" * width for width in widths])
    left = {0} | ({len(header) - 1} if words > 1 else set())
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at in left else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def stage_table(stages: Sequence[Cost]) -> str:
    """A line per stage, and one of their sum."""
    used_gb = 0.0
    rows = []
    for stage in [*stages, costs.total("all", stages)]:
        is_total = stage.name == "all"
        peak = costs.peak_gb(stages) if is_total else used_gb + stage.written_gb
        used_gb += stage.written_gb - stage.temporary_gb
        rows.append(
            (
                stage.name,
                f"{stage.jobs:,}",
                number(stage.core_hours),
                number(stage.gpu_hours),
                number(stage.longest_hours),
                number(stage.download_gb),
                number(stage.written_gb),
                number(peak),
            )
        )
    names = (
        "stage",
        "jobs",
        "core-hours",
        "GPU-hours",
        "longest job, h",
        "download, GB",
        "written, GB",
        "standing, GB",
    )
    return table(names, rows)


def model_table(models: Sequence[costs.ModelCost], device: str) -> str:
    """A line per modality."""
    names = ("modality", "tokens/s", "train tokens, M", "seen in training, M", "parameters, M", f"{device}-hours")
    return table(
        names,
        (
            (
                model.modality,
                f"{model.tokens_per_second:.2f}",
                number(model.train_tokens / 1e6),
                number(model.seen_tokens / 1e6),
                number(model.parameters / 1e6),
                number(model.hours),
            )
            for model in models
        ),
    )


def warnings(rules: Sequence[Cost], profile: Profile) -> list[str]:
    """Rules whose longest job takes longer than the profile's time limit, a line each."""
    lines = []
    for rule in rules:
        minutes, grows, _, _ = profile.request(rule.name)
        if minutes is None or rule.name.startswith("download") or rule.longest_hours <= minutes / 60:
            continue
        # A training's next attempt resumes from the last state.
        limit = f"{number(minutes / 60)} h" + (f", and {number(minutes / 30)} h at the second" if grows else "")
        resumes = ", and each resumes where the last one stopped" if rule.name == "lm_train" else ""
        lines.append(
            f"{rule.name}: the longest job takes {number(rule.longest_hours)} h; {profile.path} gives an attempt"
            f" {limit}{resumes}"
        )
    return lines


def memory_warnings(rules: Sequence[Cost], profile: Profile, amounts: Amounts) -> list[str]:
    """Rules whose largest job needs more memory than the profile gives its first attempt, a line each."""
    lines = []
    for rule in rules:
        needed, given = needed_gb(rule.name, amounts), profile.request(rule.name).megabytes
        if given is not None and needed > given / 1000:
            lines.append(
                f"{rule.name}: a job needs some {number(needed)} GB of memory; {profile.path} gives its first attempt"
                f" {number(given / 1000)} GB (mem_mb)"
            )
    return lines


def disk_warnings(wanted: Sequence[tuple[Path, float]]) -> list[str]:
    """Disks that have less left than the folders on them may need, a line each.

    Args:
        wanted: folders, which need not exist, and the gigabytes that each may need at once.
    """
    disks: dict[int, list[tuple[Path, float]]] = {}
    for folder, gigabytes in wanted:
        place = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
        disks.setdefault(place.stat().st_dev, []).append((place, gigabytes))
    lines = []
    for folders in disks.values():
        place, needed = folders[0][0], sum(gigabytes for _, gigabytes in folders)
        free = shutil.disk_usage(place).free / costs.GIGA
        if needed > free:
            lines.append(
                f"disk of {place}: the run needs up to {number(needed)} GB at once, less what it has already made;"
                f" {number(free)} GB are free"
            )
    return lines


def as_text(config: Mapping[str, Any], rules: Sequence[Cost], profile: Profile) -> str:
    """The whole plan as text."""
    stages = costs.stage_costs(rules, config["plan"]["models_gb"])
    device = "GPU" if config["cluster"]["gpus"]["lm"] else "core"
    parts = [
        f"plan of {config['name']}: from the figures under `plan` in the configuration; docs/plan.md says how far to"
        " trust them",
        stage_table(stages),
        model_table(costs.model_costs(config), device),
        "On the disk, and when it may go:",
        table(
            ("what", "GB", "goes"),
            ((row.what, number(row.gigabytes), row.goes) for row in storage(config, stages)),
            words=2,
        ),
        f"kept at the end: {number(costs.kept_gb(stages))} GB; at most at once: {number(costs.peak_gb(stages))} GB",
    ]
    reasons = left_out(config) if config["continuation"]["prompts"] else {}
    if reasons:
        parts.append("Not continued:\n" + "\n".join(f"{name}: {reason}" for name, reason in reasons.items()))
    if lines := [*warnings(rules, profile), *memory_warnings(rules, profile, Amounts(config))]:
        parts.append("Does not fit:\n" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Command line of rule plan."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--config", required=True, type=Path, help="the whole configuration, a JSON file")
    parser.add_argument("--jobs", required=True, type=Path, help="output of snakemake --dry-run")
    parser.add_argument("--registry", required=True, type=Path, help="resources/datasets.yaml")
    parser.add_argument("--formats", nargs="+", required=True, help="formats of the figure")
    parser.add_argument(
        "--results", type=Path, help="folder of the run: its disk's free space is printed if too little"
    )
    parser.add_argument("--output", required=True, type=Path, help="folder of plan.txt, plan.csv, ...")
    args = parser.parse_args()
    from scripts.plan.figure import draw  # importing matplotlib takes a second

    config = read_json(args.config)
    profile = Profile(Path(config["plan"]["profile"]))
    jobs = dry_run_jobs(read_text(args.jobs))
    rules = costs.rule_costs(config, jobs, args.registry, profile)
    stages = costs.stage_costs(rules, config["plan"]["models_gb"])
    text = as_text(config, rules, profile)
    with atomic_path(args.output / "plan.txt") as temporary:
        temporary.write_text(text, encoding="utf-8")
    for name, rows in (("plan", stages), ("rules", rules), ("models", costs.model_costs(config))):
        columns = rows[0]._fields
        write_csv(
            args.output / f"{name}.csv", columns, ({k: _rounded(v) for k, v in row._asdict().items()} for row in rows)
        )
    draw(stages, args.output / "plan", args.formats)
    print(text, end="")
    if args.results:  # not in plan.txt: it is of this machine and this hour
        fetched = sum(stage.written_gb for stage in stages if stage.name == "download")
        made = costs.peak_gb(stages) - fetched
        lines = disk_warnings([(args.results, made), (Path(config["download"]["folder"]), fetched)])
        print(*["\nDoes not fit:", *lines] if lines else [], sep="\n", end="\n" if lines else "")


def _rounded(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value


if __name__ == "__main__":
    run(main)
