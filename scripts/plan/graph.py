"""The workflow's rules as pictures, one per stage and one of the stages: `make graphs`.

In: what `snakemake --rulegraph dot` and its dry run print. A box is a rule with the number of its jobs; other stages
that it reads from or that read from it are one grey box each. Edges that a longer way implies are left out.
"""

import argparse
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.patches import FancyBboxPatch, PathPatch
from matplotlib.path import Path as Line

from scripts.common.cli import run
from scripts.common.files import atomic_path
from scripts.plan.costs import STAGES, stage_of
from scripts.plan.figure import SETTINGS
from scripts.plan.jobs import dry_run_jobs
from scripts.plan.graph_layout import Layout, arrange, reduced
from scripts.report import style

INCH, ROW, BOX = 1.55, 0.34, 0.23  # width of a column, height of a row and of a box, in inches
SHARE = 0.83  # of a column that is box
RULE, OTHER, EDGE = "#dbe8f7", "#ececec", "#8a8a8a"
GOES_TO = "→ "


def read_rules(dot: str) -> set[tuple[str, str]]:
    """Edges between rules, from Snakemake's dot text; what is no stage's rule is left out.

    Raises:
        ValueError: the text holds no rule.
    """
    names = dict(re.findall(r'(\d+)\[label = "(\w+)', dot))
    if not names:
        raise ValueError("no rules: expected what `snakemake --rulegraph dot` prints")
    pairs = ((names[start], names[end]) for start, end in re.findall(r"(\d+) -> (\d+)", dot))
    return {pair for pair in pairs if all(stage_of(name) in STAGES for name in pair)}


def of_stages(edges: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """The stages' graph."""
    pairs = ((stage_of(start), stage_of(end)) for start, end in edges)
    return reduced(pair for pair in pairs if pair[0] != pair[1])


def of_stage(stage: str, edges: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """A stage's rules, with each other stage they have to do with as one box: `corpus` before, `→ tokens` behind."""
    found = set()
    for start, end in reduced(edges):
        if stage in (stage_of(start), stage_of(end)):
            found.add(
                (
                    start if stage_of(start) == stage else stage_of(start),
                    end if stage_of(end) == stage else GOES_TO + stage_of(end),
                )
            )
    return reduced(found)


def label(name: str, stage: str, jobs: Mapping[str, int]) -> str:
    """A rule without its stage, and how many jobs it has."""
    count = jobs.get(name, 1)
    return name.removeprefix(f"{stage}_") + (f"  × {count:,}" if count > 1 else "")


def draw(layout: Layout, labels: Mapping[str, str], grey: Iterable[str], path: Path) -> None:
    """Boxes and smooth edges as svg; the same layout gives the same bytes."""
    width, height = layout.columns * INCH, layout.rows * ROW + 0.1
    with matplotlib.rc_context({**SETTINGS, "figure.constrained_layout.use": False}):
        figure = plt.figure(figsize=(width, height))
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
        axes.axis("off")

        def place(at: tuple[int, float]) -> tuple[float, float]:
            return (at[0] + 0.5) * INCH, (at[1] + 0.5) * ROW + 0.05

        half = SHARE * INCH / 2
        for ways in layout.edges.values():
            points = [place(at) for at in ways]
            (x, y), *_ = points
            line, codes = [(x + half, y)], [Line.MOVETO]
            for number, (x, y) in enumerate(points[1:], start=1):
                before = line[-1]
                stop = (x - half, y)
                middle = (before[0] + stop[0]) / 2
                line += [(middle, before[1]), (middle, y), stop]
                codes += [Line.CURVE4] * 3
                if number < len(points) - 1:  # straight through the columns between
                    line.append((x + half, y))
                    codes.append(Line.LINETO)
            axes.add_patch(PathPatch(Line(line, codes), fill=False, edgecolor=EDGE, linewidth=0.9))
        others = set(grey)
        for name, at in layout.boxes.items():
            x, y = place(at)
            axes.add_patch(
                FancyBboxPatch(
                    (x - half, y - BOX / 2),
                    2 * half,
                    BOX,
                    boxstyle="round,pad=0,rounding_size=0.05",
                    facecolor=OTHER if name in others else RULE,
                    edgecolor="none",
                )
            )
            axes.text(x, y, labels[name], ha="center", va="center_baseline", fontsize=7.5)
        with atomic_path(path) as aside:
            figure.savefig(aside, metadata=style.METADATA.get(path.suffix[1:]), facecolor="white")
        plt.close(figure)


def pictures(edges: set[tuple[str, str]], jobs: Mapping[str, int], output: Path, form: str) -> None:
    """The stages, and every stage of more than one rule."""
    stages = of_stages(edges)
    counts = {stage: sum(count for rule, count in jobs.items() if stage_of(rule) == stage) for stage in STAGES}
    names = {name for edge in stages for name in edge}
    draw(arrange(names, stages), {name: label(name, "", counts) for name in names}, (), output / f"stages.{form}")
    for stage in STAGES:
        found = of_stage(stage, edges)
        names = {name for edge in found for name in edge}
        others = {name for name in names if (name in STAGES and name not in jobs) or name.startswith(GOES_TO)}
        if len(names - others) > 1:
            layout = arrange(names, found, last=(name for name in others if name.startswith(GOES_TO)))
            draw(layout, {name: label(name, stage, jobs) for name in names}, others, output / f"{stage}.{form}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--rules", required=True, type=Path, help="output of snakemake --rulegraph dot")
    parser.add_argument("--jobs", required=True, type=Path, help="output of snakemake --dry-run")
    parser.add_argument("--output", required=True, type=Path, help="folder of the pictures")
    parser.add_argument("--form", default="svg", help="svg, pdf or png")
    args = parser.parse_args()
    edges = read_rules(args.rules.read_text(encoding="utf-8"))
    pictures(edges, dry_run_jobs(args.jobs.read_text(encoding="utf-8")), args.output, args.form)


if __name__ == "__main__":
    run(main)
