"""Frames, seeds, precision and the command line."""

import subprocess
import sys

import numpy as np
import pytest

from scripts.common import cpu
from scripts.common.frames import frame_centres, frame_count
from scripts.common.seeds import derive, generator
from tests.factories.models import tiny_hubert


@pytest.mark.parametrize(("samples", "frames"), [(0, 0), (79, 0), (399, 0), (400, 1), (719, 1), (720, 2), (16000, 49)])
def test_frame_count_is_that_of_huberts_convolutions(samples: int, frames: int):
    assert frame_count(samples) == frames


def test_frame_count_equals_the_convolutions_of_transformers():
    model = tiny_hubert()
    for samples in (400, 401, 719, 720, 16_000, 16_079, 16_080, 123_457):
        assert int(model._get_feat_extract_output_lengths(samples)) == frame_count(samples)


def test_frame_centres():
    np.testing.assert_allclose(frame_centres(3), [0.0125, 0.0325, 0.0525])


def test_streams_are_stable_and_independent():
    assert derive(1, "lm", "order") == derive(1, "lm", "order")
    assert derive(1, "a") != derive(2, "a") != derive(1, "b")
    assert generator(1, "x").integers(1000) == generator(1, "x").integers(1000)


def run_main(body: str) -> subprocess.CompletedProcess[str]:
    code = f"from scripts.common.cli import run\ndef main():\n    {body}\nrun(main)"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_a_users_mistake_is_one_line_and_a_defect_a_traceback():
    mistake = run_main('raise ValueError("config.yaml: seed is -1")')
    assert mistake.returncode == 1
    assert mistake.stderr == "error: config.yaml: seed is -1\n"
    defect = run_main("1 / 0")
    assert "Traceback" in defect.stderr


@pytest.mark.parametrize(
    ("setting", "capabilities", "expected"),
    [
        ("auto", {"avx2": True, "avx512_bf16": False, "amx_bf16": False}, "fp32"),
        ("auto", {"avx2": True, "avx512_bf16": True, "amx_bf16": False}, "bf16"),
        ("auto", {"amx_bf16": True}, "bf16"),
        ("bf16", {"avx512_bf16": False}, "bf16"),
        ("fp32", {"avx512_bf16": True}, "fp32"),
    ],
)
def test_auto_is_bf16_where_the_processor_has_it(monkeypatch, setting: str, capabilities: dict, expected: str):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert cpu.precision(setting, torch.device("cpu")) == expected


def test_this_processor_says_whether_it_has_bf16():
    torch = pytest.importorskip("torch")
    known = torch.cpu.get_capabilities()
    assert known.get("architecture") != "x86_64" or {"avx512_bf16", "amx_bf16"} <= set(known)
