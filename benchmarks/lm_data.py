"""Opening 8 billion tokens: seconds and memory until the first step's rows are at hand.

Run `python -m benchmarks.lm_data` from the repository root. The files are as packing leaves them for 10 million
utterances, but sparse: 16 GB of tokens that are all 0 and ids that are all empty take 0.2 GB of disk. A process of
its own opens them as training does; memory is the most it held (pages of mapped files that it read among them),
less what it held after importing the trainer.
"""

import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np

from scripts.common.packed_record import PackedRecord, sample_digest
from scripts.common.ragged import index_path
from scripts.lm.batching.batches import micro_batches
from scripts.lm.batching.inputs import fingerprint
from scripts.lm.batching.splits import epoch_batches, load_split

UTTERANCES, TOKENS, CONTEXT, ID_LENGTH = 10_000_000, 8_000_000_000, 2048, 24


def write(path: Path) -> None:
    """A token file of uneven lengths and its index."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(2, 2 * TOKENS // UTTERANCES - 2, UTTERANCES)
    lengths[: TOKENS - int(lengths.sum())] += 1
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    with open(path, "wb") as file:
        file.truncate(2 * int(offsets[-1]))
    record = PackedRecord(digest="0" * 16, sample=sample_digest(path), highest=0, first=0, last=0)
    arrays = {"offsets": offsets, "order": rng.permutation(UTTERANCES), "record": np.array(record.to_json())}
    ids = np.zeros(UTTERANCES, f"<U{ID_LENGTH}")  # pages that nobody touches
    with zipfile.ZipFile(index_path(path), "w") as archive:
        for name, array in {**arrays, "ids": ids}.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def held() -> int:
    """Most bytes that this process has held (Linux)."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


def read(path: Path) -> None:
    """Print what opening costs."""
    before, began = held(), time.perf_counter()
    tokens = load_split(path, 1, CONTEXT, bos=0, eos=0)
    identity = fingerprint(path, tokens)
    opened = time.perf_counter()
    steps = epoch_batches(tokens, 128, seed=1, epoch=0)
    ordered = time.perf_counter()
    rows = micro_batches(tokens, steps[0], 4096)
    done = time.perf_counter()
    print(
        f"{len(tokens):,} utterances, {len(tokens.stream):,} tokens ({identity}): opened and checked in"
        f" {opened - began:.2f} s, an epoch's order in {ordered - opened:.2f} s, {len(rows)} rows of the first of"
        f" {len(steps):,} steps in {done - ordered:.2f} s; {(held() - before) / 2**30:.2f} GiB above the"
        f" {before / 2**30:.2f} GiB of the imports"
    )


def main() -> None:
    if len(sys.argv) > 1:
        return read(Path(sys.argv[1]))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.bin"
        write(path)
        subprocess.run([sys.executable, "-m", "benchmarks.lm_data", str(path)], check=True)
    return None


if __name__ == "__main__":
    main()
