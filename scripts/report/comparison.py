"""What the tables of factors compare, and with which resamples; their command-line arguments."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scripts.common.seeds import generator
from scripts.evaluation.common_items import Dropped
from scripts.evaluation.config import Factor, parse_factors


@dataclass(frozen=True)
class Comparison:
    """Pairs of modalities, the tasks that they are compared on, and the bootstrap.

    Attributes:
        evaluation: folder with {task}/{modality}.csv.
        dropped: items that are not compared.
        factors: of the configuration, in its order.
        tasks: names.
        samples: bootstrap resamples.
        seed: of the experiment.
    """

    evaluation: Path
    dropped: Dropped
    factors: Sequence[Factor]
    tasks: Sequence[str]
    samples: int
    seed: int

    def rng(self, factor: Factor, task: str) -> np.random.Generator:
        """The generator of the resamples of one factor and task, the same in every table."""
        return generator(self.seed, "report/factors", *factor.key, task)


def add_comparison_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that `comparison_of` reads."""
    parser.add_argument("--evaluation", type=Path, required=True, help="folder with {task}/{modality}.csv")
    parser.add_argument("--dropped", type=Path, required=True, help="csv of the items that are not compared")
    parser.add_argument("--config", required=True, help='JSON: {"factors": [...]} of the config')
    parser.add_argument("--tasks", nargs="+", required=True)
    parser.add_argument("--samples", type=int, required=True, help="bootstrap resamples")
    parser.add_argument("--seed", type=int, required=True)


def comparison_of(args: argparse.Namespace) -> Comparison:
    """The comparison that the command line describes."""
    factors = parse_factors(args.config)
    return Comparison(args.evaluation, Dropped.read(args.dropped), factors, args.tasks, args.samples, args.seed)
