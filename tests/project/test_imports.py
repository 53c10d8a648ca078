"""Fingerprints of code, and which package imports which."""

from pathlib import Path

import pytest

from scripts.common.stages import PIPELINE, STAGES
from scripts.project import imports
from scripts.project.imports import code_of, module_files


def test_module_files_follow_imports_and_nothing_else():
    files = module_files("scripts.common.audio")
    assert "scripts/common/audio.py" in files
    assert "scripts/common/frames.py" in files
    assert "scripts/common/files.py" in files  # through cuts
    assert "scripts/common/seeds.py" not in files
    with pytest.raises(ValueError, match=r"scripts\.common\.nothing"):
        module_files("scripts.common.nothing")


def test_the_fingerprint_of_code_knows_what_it_does_and_not_what_it_says(tmp_path: Path):
    (tmp_path / "scripts").mkdir()
    step, helper = tmp_path / "scripts/step.py", tmp_path / "scripts/helper.py"

    def now(step_text: str, helper_text: str) -> str:
        step.write_text(step_text)
        helper.write_text(helper_text)
        imports._read.cache_clear()
        module_files.cache_clear()
        return code_of("scripts.step", tmp_path)

    main = "from scripts.helper import two\ndef main():\n    return two()\n"
    first = now(main, "def two():\n    return 2\n")
    assert first.startswith("scripts.step ")
    told = '"""A page."""\n' + main.replace("main():\n", 'main():\n    """Says so."""\n\n    # why\n')
    assert now(told, "def two():  # indeed\n    return (2)\n") == first
    assert now(main, "def two():\n    return 3\n") != first
    assert now(main.replace("return", "yield"), "def two():\n    return 2\n") != first
    with pytest.raises(ValueError, match=r"scripts\.nothing: no such module"):
        code_of("scripts.nothing", tmp_path)
    imports._read.cache_clear()
    module_files.cache_clear()


def test_imports_run_from_common_through_the_stages_to_the_project():
    order = ["common", *PIPELINE]
    for rank, stage in enumerate(order):
        for file in sorted(Path("scripts", stage).rglob("*.py")):
            module = ".".join(file.with_suffix("").parts).removesuffix(".__init__")
            used = {Path(f).parts[1] for f in module_files(module)}
            later = used & {*order[rank + 1 :], "plan", "project"}
            assert not later, f"{file} imports {later}"


def test_only_the_schema_needs_pydantic():
    """Steps on a GPU machine read their settings with the standard library and annotated_types."""
    users = [file for file in Path("scripts").rglob("*.py") if "pydantic import" in file.read_text(encoding="utf-8")]
    assert users == [Path("scripts/project/schema.py")]
    for stage in STAGES:
        files = module_files(f"scripts.{stage}.config")
        assert f"scripts/{stage}/config.py" in files
        assert "scripts/project/schema.py" not in files
