"""Imports between the packages of `scripts.lm` run one way."""

from pathlib import Path

from scripts.project.imports import module_files

ORDER = ("distributed", "batching", "model", "loop")


def test_no_package_imports_a_later_one_or_the_command():
    for rank, package in enumerate(ORDER):
        for file in Path("scripts/lm", package).glob("*.py"):
            used = {
                Path(name).parts[2] for name in module_files(".".join(file.with_suffix("").parts)) if "/lm/" in name
            }
            later = used & {*ORDER[rank + 1 :], "train.py"}
            assert not later, f"{file} imports {later}"


def test_every_package_has_its_place():
    packages = {folder.parent.name for folder in Path("scripts/lm").glob("*/__init__.py")}
    assert packages == set(ORDER)
