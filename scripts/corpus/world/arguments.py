"""Command-line arguments of the steps that synthesise a script."""

import argparse
from pathlib import Path


def add_voice_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that rules corpus_speak and corpus_speak_tasks both give."""
    parser.add_argument("--script", type=Path, required=True, help="the text to synthesise")
    parser.add_argument("--audio", type=Path, required=True, help="folder for the recordings")
    parser.add_argument("--source", required=True, help="that folder as the cuts name it, from the audio root on")
    parser.add_argument("--dropped", type=Path, required=True, help="the lines that were not used (.csv)")
    parser.add_argument("--config", required=True, help="JSON: the voices (keys of corpus.world)")
    parser.add_argument("--limits", required=True, help="JSON: min_seconds, max_seconds")
    parser.add_argument("--seed", type=int, required=True)
