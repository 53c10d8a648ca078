import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tests.report import fake


@pytest.fixture(scope="session")
def standing(tmp_path_factory) -> Path:
    """A results folder as earlier stages leave it; not to be changed."""
    folder = tmp_path_factory.mktemp("standing") / "results" / "fake"
    fake.write(folder)
    return folder


@pytest.fixture
def results(tmp_path) -> Path:
    """A small one of three modalities and two tasks, to be damaged."""
    folder = tmp_path / "results" / "fake"
    fake.write(folder, modalities=fake.MODALITIES[3:], tasks=fake.TASKS[:2], items=40)
    return folder


@pytest.fixture
def call(monkeypatch) -> Callable[..., None]:
    """Run a step's `main` with these arguments."""

    def run(module: ModuleType, *arguments: object) -> None:
        monkeypatch.setattr(sys, "argv", [module.__name__, *map(str, arguments)])
        module.main()

    return run
