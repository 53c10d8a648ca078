"""Where real speech for tests may lie, and a little speech-like audio for the rest."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def an4() -> Path:
    """48 minutes of real speech in LibriHeavy's shape: $SHARED/an4, or shared/an4 beside the repository."""
    folder = Path(os.environ.get("SHARED", ROOT.parent / "shared")) / "an4"
    if not folder.exists():
        pytest.skip(f"no real speech: {folder} does not exist (set SHARED to the folder that holds an4)")
    return folder


@pytest.fixture(autouse=True)
def in_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps run from the repository's root, as the workflow runs them."""
    monkeypatch.chdir(ROOT)
