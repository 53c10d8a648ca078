"""Steps, run as the workflow runs them."""

import subprocess
import sys


def step(module: str, *args: object, ok: bool = True) -> str:
    """Run a step as the workflow does; its stderr."""
    done = subprocess.run([sys.executable, "-m", module, *map(str, args)], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == ok, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stderr
