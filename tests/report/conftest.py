import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from scripts.report import figure_chain
from tests.report import fake, fake_curves
from tests.report.commands import FACTORS, PAPER, chain_of, commands


@pytest.fixture(scope="session")
def standing(tmp_path_factory) -> Path:
    """A results folder as earlier stages leave it; not to be changed."""
    folder = tmp_path_factory.mktemp("standing") / "results" / "fake"
    fake.write(folder)
    return folder


@pytest.fixture(scope="session")
def small(tmp_path_factory) -> Path:
    """A small one of three modalities and two tasks; not to be changed."""
    folder = tmp_path_factory.mktemp("small")
    fake.write(folder, modalities=fake.MODALITIES[3:], tasks=fake.TASKS[:2], items=40)
    fake_curves.write(folder, fake.MODALITIES[3:], fake.TASKS[:2])
    return folder


@pytest.fixture
def results(small, tmp_path) -> Path:
    """A copy of the small one, to be damaged."""
    return Path(shutil.copytree(small, tmp_path / "results" / "fake"))


@pytest.fixture
def call(monkeypatch) -> Callable[..., None]:
    """Run a step's `main` with these arguments."""

    def run(module: ModuleType, *arguments: object) -> None:
        monkeypatch.setattr(sys, "argv", [module.__name__, *map(str, arguments)])
        module.main()

    return run


@pytest.fixture(scope="module")
def written(standing, tmp_path_factory):
    """The tables of the standing results."""
    out = tmp_path_factory.mktemp("tables")
    with pytest.MonkeyPatch.context() as patch:
        for module, arguments in commands(standing, out):
            patch.setattr("sys.argv", [module.__name__, *map(str, arguments)])
            module.main()
        chain = ("--evaluation", standing / "evaluation", "--dropped", standing / "evaluation/dropped.csv",
                 "--modalities", *fake.MODALITIES, "--tasks", *fake.TASKS, "--config", FACTORS, "--samples", 200,
                 "--seed", 1, "--score-normalization", "total", "--formats", "svg", "--paper", PAPER,
                 "--output", chain_of(out).with_suffix(""))  # fmt: skip
        patch.setattr("sys.argv", ["figure_chain", *map(str, chain)])
        figure_chain.main()
    return out
