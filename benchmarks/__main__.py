"""Run every benchmark in turn, each in a process of its own so that none warms the next.

The package benchmarks.gpu is none of them: it has a command of its own (docs/gpu.md).
"""

import argparse
import subprocess
import sys
from pathlib import Path

argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__).parse_args()
for file in sorted(Path(__file__).parent.glob("[a-z]*.py")):
    print(f"== {file.stem}", flush=True)
    subprocess.run([sys.executable, "-m", f"benchmarks.{file.stem}"], check=True)
