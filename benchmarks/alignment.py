"""Speed and memory of forced alignment, feature extraction and writing included, on one core.

Run `python -m benchmarks.alignment` from the repository root. It speaks a small world, trains monophones and
triphones on it, and aligns utterances of the miniature's length, of 30 s, and ten hours of input in one job; times are
of the processor, memory is the process' peak.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
import yaml

from scripts.alignment.align import Aligner
from scripts.alignment.calibration import thresholds
from scripts.alignment.config import Aligning, Training
from scripts.alignment.lexicon import Dictionary, read_lexicon
from scripts.alignment.model import load
from scripts.common import audio
from scripts.common.config import keys_of, parse, part_json
from scripts.common.cuts import Cut, speaker, spoken_text
from scripts.common.files import read_jsonl, write_jsonl
from scripts.common.frames import SAMPLE_RATE

LONG, HOURS = 29.0, (1, 10)
RATE = {"mean": 180, "jitter": 0.05}
VOICES = {
    "voices": ["en-us+m1", "en-us+f2", "en-us+m3", "en-us+f4"],
    "speakers": 4,
    "rate": RATE,
    "pitch": {"mean": 50, "jitter": 0.05},
    "gain": {"mean": -3.0, "jitter": 1.0},
    "noise": -60.0,
}
SCRIPT = {"lexicon": "small", "hours": {"train": 0.15, "dev": 0.1}, "speakers": 4, "isolated_words": 0, "rate": RATE}
TRIPHONE = {"leaves": 400, "gaussians": 1200}
SECTION = yaml.safe_load(Path("config.yaml").read_text(encoding="utf-8"))["alignment"] | {"oov": "drop"}
CHANGED = {"sample_hours": 0.15, "gaussians": 1000, "iterations": 25}


def step(module: str, **flags: object) -> None:
    """Run a step of the workflow quietly."""
    given = [part for key, value in flags.items() for part in (f"--{key.replace('_', '-')}", value)]
    words = [json.dumps(word) if isinstance(word, dict) else str(word) for word in given]
    subprocess.run([sys.executable, "-m", module, *words], check=True, capture_output=True)


def world(folder: Path) -> None:
    """Train and dev cuts, their lexicon, and two models."""
    step("scripts.corpus.world.write", config=SCRIPT, shards={"train": 1, "dev": 1}, seed=7, out=folder / "script")
    for split in ("train", "dev"):
        step(
            "scripts.corpus.world.speak",
            script=folder / f"script/{split}/0.jsonl.gz",
            audio=folder / "audio" / split,
            source=split,
            cuts=folder / f"{split}.jsonl.gz",
            truth=folder / f"{split}.truth.jsonl.gz",
            dropped=folder / f"{split}.csv",
            config=VOICES,
            limits={"min_seconds": 0.1, "max_seconds": 30, "max_missing_audio": 1, "max_dropped": 1},
            seed=7,
        )
    cuts = [line for split in ("train", "dev") for line in read_jsonl(folder / f"{split}.jsonl.gz")]
    write_jsonl(folder / "all.jsonl.gz", cuts)
    scripts = [line for split in ("train", "dev") for line in read_jsonl(folder / f"script/{split}/0.jsonl.gz")]
    write_jsonl(folder / "scripts.jsonl.gz", scripts)
    lexicon = folder / "lexicon.txt"
    step("scripts.corpus.pronounce", cuts=folder / "all.jsonl.gz", scripts=folder / "scripts.jsonl.gz", out=lexicon)
    for name, more in (("monophones", {}), ("triphones", {"triphone": TRIPHONE})):
        step(
            "scripts.alignment.train",
            cuts=folder / "train.jsonl.gz",
            audio_root=folder / "audio",
            lexicon=folder / "lexicon.txt",
            config={key: (CHANGED | more).get(key, SECTION[key]) for key in keys_of(Training)},
            seed=7,
            out=folder / name,
        )


def long_cuts(cuts: list[Cut], root: Path) -> list[Cut]:
    """Neighbouring utterances of a speaker joined to cuts of about 30 s."""
    made: list[Cut] = []
    waiting: dict[str, list[Cut]] = {}
    for cut in cuts:
        row = waiting.setdefault(speaker(cut), [])
        if sum(c["duration"] for c in [*row, cut]) > LONG:
            wave = np.concatenate([audio.read(c, root) for c in row])
            name = f"long-{len(made)}"
            soundfile.write(root / f"{name}.flac", wave, SAMPLE_RATE)
            new = json.loads(json.dumps(row[0])) | {"id": name, "start": 0.0, "duration": len(wave) / SAMPLE_RATE}
            new["recording"]["sources"][0]["source"] = f"{name}.flac"
            new["supervisions"][0]["custom"]["texts"][1] = " ".join(spoken_text(c) for c in row)
            made.append(new)
            row.clear()
        row.append(cut)
    return made


def measure(name: str, model: str, cuts: list[Cut], folder: Path) -> None:
    """Align cuts as one job does and say how fast; everything after the interpreter's imports counts."""
    began = time.process_time()
    acoustic = load(folder / model)
    words = Dictionary(read_lexicon(folder / "lexicon.txt"), acoustic.phones)
    config = parse(Aligning, part_json(SECTION, Aligning), "alignment")
    lowest = thresholds(config.min_log_likelihood, folder / model)
    aligner = Aligner(acoustic, words, cuts, str(folder / "audio"), config, lowest, "bench")
    write_jsonl(folder / "out.jsonl.gz", aligner.align_lines(cuts, "bench"))
    seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{name:<26} {len(cuts):>5} cuts {aligner.seconds / 3600:>6.2f} h, {len(aligner.dropped)} dropped,"
        f" {aligner.seconds / seconds:>4.0f} x real time per core, peak {peak:.0f} MiB",
        flush=True,
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        world(folder)
        cuts = list(read_jsonl(folder / "dev.jsonl.gz"))
        long = long_cuts([*read_jsonl(folder / "train.jsonl.gz"), *cuts], folder / "audio")
        hour = sum(cut["duration"] for cut in cuts) / 3600
        for model in ("monophones", "triphones"):
            measure(f"{model}, miniature's", model, cuts, folder)
            measure(f"{model}, 30 s", model, long, folder)
        for hours in HOURS:
            many = [cut | {"id": f"{cut['id']}-{i}"} for i in range(round(hours / hour)) for cut in cuts]
            measure(f"monophones, {hours} h in a job", "monophones", many, folder)


if __name__ == "__main__":
    main()
