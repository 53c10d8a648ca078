"""The memory of the aligner's training hardly depends on the hours of the sample."""

import subprocess
import sys

import pytest

SCRIPT = """
import resource, sys
from pathlib import Path
import numpy as np
from scripts.alignment.config import Training
from scripts.alignment.model import AcousticModel
from scripts.alignment.train import train_monophones, train_triphones
from scripts.alignment.training_sample import TrainingSample
from tests.factories.settings import configured

hours, folder = float(sys.argv[1]), Path(sys.argv[2])
random = np.random.default_rng(1)
phones = ["SIL", *(f"P{k}" for k in range(20))]
sounds = 8 * random.standard_normal((len(phones), 13))
lexicon = [tuple(random.integers(1, len(phones), 4)) for _ in range(500)]
sample = TrainingSample(folder)
frames = 0
while frames < hours * 360_000:
    words = random.integers(0, len(lexicon), 30)
    entries = [(f"W{word}", (tuple(phones[k] for k in lexicon[word]),)) for word in words]
    path = np.repeat(np.concatenate([lexicon[word] for word in words]), 9)
    static = (sounds[path] + random.standard_normal((len(path), 13))).astype(np.float32)
    cut = {"id": str(len(sample)), "duration": len(path) / 100, "supervisions": [{"speaker": "a"}]}
    sample.add(cut, entries, static)
    frames += len(path)
config = configured(Training, "alignment", gaussians=100, iterations=2, triphone={"leaves": 100, "gaussians": 120})
model = AcousticModel(phones, [[k] for k in range(len(phones))], 10)
history = train_monophones(model, sample, config, 1)
_, more = train_triphones(model, sample, config, 1)
assert more[-1]["aligned"] > 0.9 * len(sample), more
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def peak(hours, folder):
    """Peak memory in MiB of training on so many hours of synthetic features."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(hours), str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


@pytest.mark.slow
def test_four_times_the_hours_take_little_more_memory(tmp_path):
    small, large = peak(0.25, tmp_path), peak(1.0, tmp_path)
    print(f"peak memory: {small:.0f} MiB with 0.25 h, {large:.0f} MiB with 1 h")
    assert large <= 1.2 * small
