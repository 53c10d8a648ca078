"""Where this repository is, whatever folder a step runs in."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
