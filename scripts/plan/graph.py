"""Graphs of the workflow's rules, one per stage and one of the stages: `make graphs`.

Input: the outputs of `snakemake --rulegraph dot` and of a dry run. A box is a rule with its number of jobs; each other
stage connected to it is one grey box. Edges implied by a longer path are left out.
"""

import argparse
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.patches import FancyBboxPatch, PathPatch
from matplotlib.path import Path as Line

from scripts.common.cli import run
from scripts.common.files import atomic_path, read_text
from scripts.common.stages import PIPELINE
from scripts.plan.costs import stage_of
from scripts.plan.figure import SETTINGS
from scripts.plan.graph_layout import Layout, arrange, reduced
from scripts.plan.jobs import dry_run_jobs
from scripts.report import style

INCH, ROW, BOX = 1.55, 0.34, 0.23  # width of a column, height of a row and of a box, in inches
BOX_WIDTH = 0.83  # of a column
RULE, OTHER, EDGE = "#dbe8f7", "#ececec", "#8a8a8a"
GOES_TO = "→ "


def box_of(rule: str) -> str:
    """The box that a rule is drawn in: all tables of the report share one, and so do all figures."""
    return re.sub(r"^report_(table|figure)_.*", r"report_\1s", rule)


def read_rules(dot: str) -> set[tuple[str, str]]:
    """Edges between the boxes of rules, from Snakemake's dot text; rules of no stage are left out.

    Raises:
        ValueError: the text holds no rules.
    """
    names = dict(re.findall(r'(\d+)\[label = "(\w+)', dot))
    if not names:
        raise ValueError("no rules: expected what `snakemake --rulegraph dot` prints")
    pairs = ((box_of(names[start]), box_of(names[end])) for start, end in re.findall(r"(\d+) -> (\d+)", dot))
    return {pair for pair in pairs if pair[0] != pair[1] and all(stage_of(name) in PIPELINE for name in pair)}


def count_jobs(jobs: Mapping[str, int]) -> dict[str, int]:
    """Jobs of each box, from those of each rule."""
    counts: Counter[str] = Counter()
    for rule, count in jobs.items():
        counts[box_of(rule)] += count
    return dict(counts)


def stage_graph(edges: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Edges between stages."""
    pairs = ((stage_of(start), stage_of(end)) for start, end in edges)
    return reduced(pair for pair in pairs if pair[0] != pair[1])


def rule_graph(stage: str, edges: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Edges of a stage's rules; a connected stage is one node: `corpus` for inputs, `→ tokens` for outputs."""
    edges_of_stage = set()
    for start, end in reduced(edges):
        if stage in (stage_of(start), stage_of(end)):
            edges_of_stage.add(
                (
                    start if stage_of(start) == stage else stage_of(start),
                    end if stage_of(end) == stage else GOES_TO + stage_of(end),
                )
            )
    return reduced(edges_of_stage)


def label(name: str, stage: str, jobs: Mapping[str, int]) -> str:
    """The name of a rule without its stage, and its number of jobs."""
    count = jobs.get(name, 1)
    return name.removeprefix(f"{stage}_") + (f"  × {count:,}" if count > 1 else "")


def draw(layout: Layout, labels: Mapping[str, str], grey: Iterable[str], path: Path) -> None:
    """Draw boxes and smooth edges; the same layout gives the same bytes."""
    width, height = layout.columns * INCH, layout.rows * ROW + 0.1
    with matplotlib.rc_context({**SETTINGS, "figure.constrained_layout.use": False}):
        figure = plt.figure(figsize=(width, height))
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
        axes.axis("off")

        def centre(position: tuple[int, float]) -> tuple[float, float]:
            return (position[0] + 0.5) * INCH, (position[1] + 0.5) * ROW + 0.05

        half = BOX_WIDTH * INCH / 2
        for path_positions in layout.edges.values():
            points = [centre(position) for position in path_positions]
            (x, y), *_ = points
            line, codes = [(x + half, y)], [Line.MOVETO]
            for number, (x, y) in enumerate(points[1:], start=1):
                previous = line[-1]
                stop = (x - half, y)
                middle = (previous[0] + stop[0]) / 2
                line += [(middle, previous[1]), (middle, y), stop]
                codes += [Line.CURVE4] * 3
                if number < len(points) - 1:  # straight through intermediate columns
                    line.append((x + half, y))
                    codes.append(Line.LINETO)
            axes.add_patch(PathPatch(Line(line, codes), fill=False, edgecolor=EDGE, linewidth=0.9))
        others = set(grey)
        for name, position in layout.boxes.items():
            x, y = centre(position)
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
        with atomic_path(path) as temporary:
            figure.savefig(temporary, metadata=style.METADATA.get(path.suffix[1:]), facecolor="white")
        plt.close(figure)


def draw_graphs(edges: set[tuple[str, str]], jobs: Mapping[str, int], output: Path, form: str) -> None:
    """Draw the graph of the stages, and that of every stage with more than one rule."""
    stages = stage_graph(edges)
    counts = {stage: sum(count for rule, count in jobs.items() if stage_of(rule) == stage) for stage in PIPELINE}
    names = {name for edge in stages for name in edge}
    draw(arrange(names, stages), {name: label(name, "", counts) for name in names}, (), output / f"stages.{form}")
    for stage in PIPELINE:
        stage_edges = rule_graph(stage, edges)
        names = {name for edge in stage_edges for name in edge}
        others = {name for name in names if (name in PIPELINE and name not in jobs) or name.startswith(GOES_TO)}
        if len(names - others) > 1:
            layout = arrange(names, stage_edges, last=(name for name in others if name.startswith(GOES_TO)))
            draw(layout, {name: label(name, stage, jobs) for name in names}, others, output / f"{stage}.{form}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--rules", required=True, type=Path, help="output of snakemake --rulegraph dot")
    parser.add_argument("--jobs", required=True, type=Path, help="output of snakemake --dry-run")
    parser.add_argument("--output", required=True, type=Path, help="folder of the graphs")
    parser.add_argument("--form", default="svg", help="svg, pdf or png")
    args = parser.parse_args()
    edges = read_rules(read_text(args.rules))
    jobs = count_jobs(dry_run_jobs(read_text(args.jobs)))
    draw_graphs(edges, jobs, args.output, args.form)


if __name__ == "__main__":
    run(main)
