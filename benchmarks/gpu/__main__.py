"""Check and measure the project on one GPU, stage by stage; on a CPU at tiny sizes.

`python -m benchmarks.gpu --out FOLDER` from the repository's root. After every stage FOLDER/results.json and
FOLDER/results.csv hold all results so far; a table of the stages ends the output. The exit code is 1 if a stage failed.
It is made to end within six minutes on an H100; not yet tried there. What is measured is described in docs/gpu.md.
"""

import argparse
import sys
from pathlib import Path

from benchmarks.gpu.parent import run_stages, table
from benchmarks.gpu.stages import BUDGETS, LIMIT


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for results.csv and results.json")
    parser.add_argument("--stages", nargs="+", choices=list(BUDGETS), default=list(BUDGETS), help="some stages only")
    parser.add_argument("--sizes", choices=("auto", "full", "tiny"), default="auto", help="auto: full on a GPU")
    parser.add_argument("--seconds", type=float, default=LIMIT, help="no stage begins later than this")
    parser.add_argument("--stretch", type=float, default=1.0, help="factor of all budgets, for a busy machine")
    args = parser.parse_args()
    results = run_stages(args.out, args.stages, args.sizes, args.seconds, args.stretch)
    print(table(results))
    sys.exit(any(result["status"] != "ok" for result in results))


if __name__ == "__main__":
    main()
