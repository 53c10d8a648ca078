"""Frames, seeds, imports and the command-line face."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scripts.common import cpu, imports
from scripts.common.frames import frame_centres, frame_count
from scripts.common.imports import code_of, module_files
from scripts.common.seeds import derive, generator


@pytest.mark.parametrize(("samples", "frames"), [(0, 0), (79, 0), (399, 0), (400, 1), (719, 1), (720, 2), (16000, 49)])
def test_frame_count_is_that_of_huberts_convolutions(samples: int, frames: int):
    assert frame_count(samples) == frames


def test_frame_count_equals_the_convolutions_of_transformers():
    from transformers import HubertConfig, HubertModel

    model = HubertModel(HubertConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=1, intermediate_size=16))
    for samples in (400, 401, 719, 720, 16_000, 16_079, 16_080, 123_457):
        assert int(model._get_feat_extract_output_lengths(samples)) == frame_count(samples)


def test_frame_centres():
    np.testing.assert_allclose(frame_centres(3), [0.0125, 0.0325, 0.0525])


def test_streams_are_stable_and_independent():
    assert derive(1, "lm", "order") == derive(1, "lm", "order")
    assert derive(1, "a") != derive(2, "a") != derive(1, "b")
    assert generator(1, "x").integers(1000) == generator(1, "x").integers(1000)


def test_module_files_follow_imports_and_nothing_else():
    files = module_files("scripts.common.audio")
    assert "scripts/common/audio.py" in files
    assert "scripts/common/frames.py" in files
    assert "scripts/common/files.py" in files  # through cuts
    assert "scripts/common/seeds.py" not in files
    with pytest.raises(ValueError, match=r"scripts\.common\.nothing"):
        module_files("scripts.common.nothing")


def test_the_fingerprint_of_code_knows_what_it_does_and_not_what_it_says(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("scripts").mkdir()
    step, helper = Path("scripts/step.py"), Path("scripts/helper.py")

    def now(step_text: str, helper_text: str) -> str:
        step.write_text(step_text)
        helper.write_text(helper_text)
        imports._read.cache_clear()
        module_files.cache_clear()
        return code_of("scripts.step")

    main = "from scripts.helper import two\ndef main():\n    return two()\n"
    first = now(main, "def two():\n    return 2\n")
    assert first.startswith("scripts.step ")
    told = '"""A page."""\n' + main.replace("main():\n", 'main():\n    """Says so."""\n\n    # why\n')
    assert now(told, "def two():  # indeed\n    return (2)\n") == first
    assert now(main, "def two():\n    return 3\n") != first
    assert now(main.replace("return", "yield"), "def two():\n    return 2\n") != first
    with pytest.raises(ValueError, match=r"scripts\.nothing: no such module"):
        code_of("scripts.nothing")
    imports._read.cache_clear()
    module_files.cache_clear()


def run_main(body: str) -> subprocess.CompletedProcess[str]:
    code = f"from scripts.common.cli import run\ndef main():\n    {body}\nrun(main)"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_a_users_mistake_is_one_line_and_a_defect_a_traceback():
    mistake = run_main('raise ValueError("config.yaml: seed is -1")')
    assert mistake.returncode == 1
    assert mistake.stderr == "error: config.yaml: seed is -1\n"
    defect = run_main("1 / 0")
    assert "Traceback" in defect.stderr


def test_no_stage_is_imported_by_common_nor_a_later_one_by_an_earlier():
    order = ["common", "corpus", "alignment", "units", "tokens", "lm", "evaluation", "report"]
    for rank, stage in enumerate(order):
        for file in sorted(Path("scripts", stage).glob("*.py")):
            used = {Path(f).parts[1] for f in module_files(".".join(file.with_suffix("").parts))}
            later = used & set(order[rank + 1 :])
            assert not later, f"{file} imports {later}"


@pytest.mark.parametrize(
    ("asked", "capabilities", "found"),
    [
        ("auto", {"avx2": True, "avx512_bf16": False, "amx_bf16": False}, "fp32"),
        ("auto", {"avx2": True, "avx512_bf16": True, "amx_bf16": False}, "bf16"),
        ("auto", {"amx_bf16": True}, "bf16"),
        ("bf16", {"avx512_bf16": False}, "bf16"),
        ("fp32", {"avx512_bf16": True}, "fp32"),
    ],
)
def test_auto_is_bf16_where_the_processor_has_it(monkeypatch, asked: str, capabilities: dict, found: str):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert cpu.precision(asked, torch.device("cpu")) == found


def test_this_processor_says_whether_it_has_bf16():
    torch = pytest.importorskip("torch")
    known = torch.cpu.get_capabilities()
    assert known.get("architecture") != "x86_64" or {"avx512_bf16", "amx_bf16"} <= set(known)
