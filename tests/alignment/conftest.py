"""Alignment of cuts by the model that the tests share."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts.alignment.config import Aligning
from tests.factories.settings import settings
from tests.factories.steps import step


@pytest.fixture
def align(world, trained, tmp_path):
    """Align lines: returns the kept lines, the dropped rows by cut id, and stderr."""
    from scripts.common.files import read_csv, read_jsonl, write_jsonl

    def run(lines, *, config=None, lexicon=world / "lexicon.txt", root=world / "audio", ok=True):
        source, out, dropped = tmp_path / "in.jsonl.gz", tmp_path / "out.jsonl.gz", tmp_path / "dropped.csv"
        defaults = json.loads(settings(Aligning, "alignment"))
        write_jsonl(source, lines)
        stderr = step("scripts.alignment.align", "--cuts", source, "--audio-root", root, "--model", trained,
                      "--lexicon", lexicon, "--split", "dev", "--config", json.dumps(defaults | (config or {})),
                      "--out", out, "--dropped", dropped, "--guessed", tmp_path / "guessed.csv", ok=ok)  # fmt: skip
        if not ok:
            return SimpleNamespace(stderr=stderr)
        return SimpleNamespace(
            kept=list(read_jsonl(out)),
            dropped={row["id"]: row for row in read_csv(dropped)},
            stderr=stderr,
            out=Path(out),
        )

    return run
