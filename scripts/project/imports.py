"""Which of the project's code a step runs, so that a change of it reruns what depends on it and nothing else."""

import ast
import hashlib
from functools import cache
from pathlib import Path

from scripts.common.places import ROOT


def code_of(module: str, root: Path = ROOT) -> str:
    """What `module` and every `scripts.*` module it imports would do, as a short fingerprint.

    A rule that has it among its `params` reruns when that changes. Comments, docstrings and layout are not in it;
    names, annotations and messages are. It is made from Python's syntax trees, so another minor version of Python
    makes another one.

    Args:
        module: dotted name, e.g. "scripts.lm.train".
        root: the folder that holds `scripts`.

    Returns:
        The module's name and 16 hexadecimal digits.

    Raises:
        ValueError: there is no such module.
    """
    whole = hashlib.sha256()
    for file in module_files(module, root):
        whole.update(f"{file} {_read(root / file)[1]}\n".encode())
    return f"{module} {whole.hexdigest()[:16]}"


@cache
def module_files(module: str, root: Path = ROOT) -> tuple[str, ...]:
    """Files of `module` and of every `scripts.*` module it imports, directly or not, sorted.

    The imports are read from the syntax tree; nothing is executed.

    Args:
        module: dotted name, e.g. "scripts.lm.train".
        root: the folder that holds `scripts`.

    Returns:
        Paths relative to `root`.

    Raises:
        ValueError: there is no such module.
    """
    files: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = Path(*name.split("."))
        file = path.with_suffix(".py") if (root / path.with_suffix(".py")).exists() else path / "__init__.py"
        if not name.startswith("scripts.") or not (root / file).exists() or str(file) in files:
            continue
        files.add(str(file))
        waiting += _read(root / file)[0]
    if not files:
        raise ValueError(f"{module}: no such module")
    return tuple(sorted(files))


@cache
def _read(file: Path) -> tuple[tuple[str, ...], str]:
    """Names that a file imports, and a digest of its syntax tree without docstrings."""
    tree = ast.parse(file.read_text(encoding="utf-8"), filename=str(file))
    imports: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            imports += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            imports += [alias.name for alias in node.names]
        elif isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and (
            ast.get_docstring(node, clean=False) is not None
        ):
            node.body = node.body[1:]
    return tuple(imports), hashlib.sha256(ast.dump(tree).encode()).hexdigest()
