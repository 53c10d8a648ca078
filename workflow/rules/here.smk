"""Where this repository is, whatever folder the workflow runs in, and how steps find its Python modules.

What the workflow brings along is named from HERE; what the user names, and results, from the working directory.
"""

import os
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

ROOT = Path(workflow.snakefile).resolve().parents[2]
HERE = Path(os.path.relpath(ROOT))  # "." where the workflow runs in its own folder, so that this folder can be moved
sys.path.insert(0, str(ROOT))

import scripts

# Steps run as `python -m scripts...`, and Python looks into the working directory first.
for other in [*scripts.__path__, *(str(file.parent) for file in Path.cwd().glob("scripts/__init__.py"))]:
    if Path(other).resolve() != ROOT / "scripts":
        raise WorkflowError(
            f"{other} is a Python package called scripts, which hides the one of this workflow, {ROOT / 'scripts'}:"
            " rename it, or delete its __init__.py"
        )

if HERE != Path():
    strict = "set -euo pipefail; "  # what Snakemake puts before commands where nobody sets a prefix
    path = f"export PYTHONPATH={shlex.quote(str(ROOT))}${{PYTHONPATH:+:$PYTHONPATH}}; "
    before = shell._process_prefix or strict  # of the workflow that imports this one
    if path not in before:
        shell.prefix((before + path).replace("{", "{{").replace("}", "}}"))
