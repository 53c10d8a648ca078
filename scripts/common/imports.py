"""Which of the project's files a step runs, so that editing one reruns what depends on it."""

import ast
from functools import cache
from pathlib import Path


@cache
def module_files(module: str) -> tuple[str, ...]:
    """Files of `module` and of every `scripts.*` module it imports, directly or not, sorted.

    Snakemake follows files, not imports: a rule that lists these as input reruns when any of them
    is edited, and only then. The imports are read from the syntax tree; nothing is executed.

    Args:
        module: dotted name, e.g. "scripts.lm.train".

    Returns:
        Paths relative to the repository root, where the workflow runs.
    """
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = Path(*name.split("."))
        file = path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"
        if not name.startswith("scripts.") or not file.exists() or str(file) in found:
            continue
        found.add(str(file))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                waiting += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            elif isinstance(node, ast.Import):
                waiting += [alias.name for alias in node.names]
    if not found:
        raise ValueError(f"{module}: no such module")
    return tuple(sorted(found))
