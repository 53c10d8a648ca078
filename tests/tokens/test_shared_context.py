"""Frames of a shared context: counted if their window is inside it, compared between the sides."""

from dataclasses import replace

import numpy as np
import pytest

from scripts.common.files import write_jsonl
from scripts.common.ragged import Ragged, save_npz
from scripts.tokens.shared_context import count_differing, rows
from tests.factories.cuts import aligned_cut
from tests.tokens.conftest import modality


def phones(*boundaries: float) -> list[tuple[str, float, float]]:
    edges = [0.0, *boundaries]
    return [(symbol, a, b - a) for symbol, a, b in zip("ABC", edges[:-1], edges[1:], strict=False)]


def item(name: str, positive: float, negative: float, **more: float) -> dict:
    """Sides of 0.2 s, 9 frames, whose first boundary differs."""
    sides = {
        side: aligned_cut(f"{name}-{side}", "x y", phones(boundary, 0.2), 0.2)
        for side, boundary in (("positive", positive), ("negative", negative))
    }
    return {"id": name, "task": "t", "subset": "all", "group": "g", **more, **sides}


@pytest.fixture
def items(tmp_path):
    """Two items with 0.125 s in common, which is the window of frames 0 to 5, and one without."""
    shared = {"shared_seconds": 0.125}
    # Frame 3 is centred on 72.5 ms; frame 6 on 132.5, after the shared part.
    lines = [item("one", 0.07, 0.08, **shared), item("two", 0.13, 0.14, **shared), item("three", 0.01, 0.1)]
    write_jsonl(tmp_path / "items.jsonl.gz", lines)
    return tmp_path / "items.jsonl.gz"


def test_aligned_phones_are_compared_within_the_shared_part(items):
    assert count_differing(items, None, modality("phone-repeat")) == (2, 12, 1)
    # 25 per second: windows begin at 0, 40, 80 ms; the third is centred on 92.5 ms.
    assert count_differing(items, None, replace(modality("phone-repeat"), frame_rate=25)) == (2, 6, 0)


def test_units_are_compared_and_tasks_without_shared_contexts_left_out(items, tmp_path):
    ids = [f"{name}-{side}" for name in ("one", "two", "three") for side in ("positive", "negative")]
    streams = [np.arange(9, dtype=np.uint16) for _ in ids]
    streams[1] = streams[1] + np.array([0, 1, 1, 0, 0, 0, 1, 1, 1], np.uint16)
    save_npz(tmp_path / "units.npz", Ragged.join(ids, streams))
    write_jsonl(tmp_path / "plain.jsonl.gz", [item("four", 0.07, 0.1)])
    units, paths = modality("speech-hubert"), [tmp_path / "plain.jsonl.gz", items]
    found = list(
        rows([units, modality("phone-repeat")], ["plain", "topic"], paths, [[items, tmp_path / "units.npz"], []])
    )
    assert found == [
        {"modality": "speech-hubert", "task": "topic", "items": 2, "frames": 12, "differing": 2},
        {"modality": "phone-repeat", "task": "topic", "items": 2, "frames": 12, "differing": 1},
    ]
