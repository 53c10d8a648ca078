"""An utterance's features do not depend on its batch, and damaged encoders are refused."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from transformers import Wav2Vec2FeatureExtractor

from scripts.common.frames import frame_count
from scripts.units import encoder
from scripts.units.waveforms import normalise
from tests.factories.models import tiny_hubert


def waves() -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [
        (0.1 * random.standard_normal(n) + np.sin(np.arange(n) / 20)).astype(np.float32)
        for n in (400, 719, 720, 9_000, 16_001, 16_000)
    ]


@pytest.mark.parametrize("norm", ["group", "layer"])
@pytest.mark.parametrize("stable", [False, True])
@pytest.mark.parametrize("normalise", [False, True])
def test_batched_equals_one_by_one(norm: str, stable: bool, normalise: bool) -> None:
    model = tiny_hubert(feat_extract_norm=norm, do_stable_layer_norm=stable)
    network = encoder.prepare(model, 2, normalise)
    together = network.features(waves())
    for wave, features in zip(waves(), together, strict=True):
        alone = network.features([wave])[0]
        assert features.shape == alone.shape == (frame_count(len(wave)), 16)
        np.testing.assert_allclose(features, alone, atol=2e-5)


def batch_normed():
    """A tiny HuBERT with a batch norm before its positional convolution, with statistics of some training."""
    model = tiny_hubert(conv_pos_batch_norm=True)
    norm = model.encoder.pos_conv_embed.batch_norm
    torch.nn.init.normal_(norm.running_mean)
    torch.nn.init.normal_(norm.bias)
    return model


def test_a_batch_norm_does_not_see_the_batch(tmp_path: Path) -> None:
    encoder.save(batch_normed(), True, tmp_path)
    network, digest = encoder.load(tmp_path, 2)
    assert len(digest) == 64  # its count of batches has no dimension, which a view as bytes refuses
    for wave, features in zip(waves(), network.features(waves()), strict=True):
        np.testing.assert_allclose(features, network.features([wave])[0], atol=2e-5)
    wave = waves()[4]
    values = torch.from_numpy(normalise(wave))[None]
    with torch.inference_mode():
        expected = batch_normed().eval()(values, output_hidden_states=True).hidden_states[2][0].numpy()
    np.testing.assert_allclose(network.features([wave])[0], expected, atol=1e-5)


def test_another_norm_over_time_or_batch_is_refused() -> None:
    model = tiny_hubert()
    model.encoder.layer_norm = torch.nn.InstanceNorm1d(16)
    with pytest.raises(ValueError, match=r"encoder\.layer_norm \(InstanceNorm1d\) mixes utterances"):
        encoder.prepare(model, 2, True)


def test_without_the_masked_norm_padding_leaks() -> None:
    """Guards the test above: plain transformers fails it by far."""
    model = tiny_hubert()
    short, long = torch.from_numpy(waves()[3])[None], torch.from_numpy(waves()[4])[None]
    padded = torch.nn.functional.pad(short, (0, long.shape[1] - short.shape[1]))
    mask = torch.arange(long.shape[1])[None] < torch.tensor([[short.shape[1]], [long.shape[1]]])
    with torch.inference_mode():
        alone = model(short).last_hidden_state[0]
        batched = model(torch.cat([padded, long]), attention_mask=mask).last_hidden_state[0, : len(alone)]
    assert float((alone - batched).abs().max()) > 1e-2


@pytest.mark.parametrize("stable", [False, True])
@pytest.mark.parametrize("layer", [0, 1, 2, 3])
def test_layer_is_that_of_transformers(stable: bool, layer: int) -> None:
    model = tiny_hubert(do_stable_layer_norm=stable)
    wave = waves()[4]
    values = Wav2Vec2FeatureExtractor(do_normalize=True)(wave, sampling_rate=16000, return_tensors="pt").input_values
    with torch.inference_mode():
        expected = model(values, output_hidden_states=True).hidden_states[layer][0].numpy()
    np.testing.assert_allclose(encoder.prepare(model, layer, True).features([wave])[0], expected, atol=1e-5)


def test_features_see_only_their_own_window() -> None:
    """Frame count is the common clock's, for lengths around its steps."""
    network = encoder.prepare(tiny_hubert(), 1, True)
    for samples in (400, 401, 719, 720, 721, 1039, 1040):
        wave = np.random.default_rng(samples).standard_normal(samples).astype(np.float32)
        assert len(network.features([wave])[0]) == frame_count(samples)


def test_ten_minutes_need_no_quadratic_memory() -> None:
    network = encoder.prepare(tiny_hubert(conv_dim=[2] * 7, num_hidden_layers=1, num_attention_heads=1), 1, True)
    wave = np.random.default_rng(0).standard_normal(600 * 16_000).astype(np.float32)
    assert network.features([wave])[0].shape == (29_999, 16)


GROWTH = """
import sys
from pathlib import Path
import numpy as np
from scripts.units import encoder
def held():
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) / 1024
network, _ = encoder.load(sys.argv[1], 1)
for samples in range(8_000, 32_000, 160):
    if samples == 12_800:
        before = held()
    network.features([np.arange(samples, dtype=np.float32) % 7])
print(held() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from Linux' /proc")
def test_memory_does_not_grow_with_every_new_length(tmp_path: Path) -> None:
    """120 lengths kept 105 MiB in oneDNN's cache before it was made small, 12 MiB since."""
    encoder.save(tiny_hubert(conv_dim=[32] * 7), True, tmp_path)
    command = [sys.executable, "-c", GROWTH, str(tmp_path)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert float(done.stdout) < 50


def test_saved_encoder_has_the_same_fingerprint_and_bytes(encoder_folder: str, tmp_path: Path) -> None:
    _, digest = encoder.load(encoder_folder, 2)
    encoder.save(tiny_hubert(), True, tmp_path)
    assert encoder.load(tmp_path, 1)[1] == digest
    for file in Path(encoder_folder).iterdir():
        assert file.read_bytes() == (tmp_path / file.name).read_bytes()


def test_fingerprint_tells_encoders_apart() -> None:
    digests = [
        encoder.fingerprint(tiny_hubert(), True),
        encoder.fingerprint(tiny_hubert(), False),
        encoder.fingerprint(tiny_hubert(seed=1), True),
        encoder.fingerprint(tiny_hubert(num_attention_heads=4), True),
    ]
    assert len(set(digests)) == len(digests)


def test_layer_out_of_range(encoder_folder: str) -> None:
    with pytest.raises(ValueError, match=r"units\.layer is 4; .* has layers 0 to 3"):
        encoder.load(encoder_folder, 4)


def test_other_clock_is_refused() -> None:
    model = tiny_hubert(conv_stride=[5, 2, 2, 2, 2, 2, 1])
    with pytest.raises(ValueError, match="25 ms window every 20 ms"):
        encoder.prepare(model, 1, True)


def test_fp32_is_not_tf32(encoder_folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """torch allows TF32 in convolutions unless told otherwise."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    torch.backends.cuda.matmul.allow_tf32 = True
    encoder.load(encoder_folder, 1)
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32


def test_bad_folders(encoder_folder: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no encoder here"):
        encoder.load(tmp_path / "nowhere", 1)

    damaged = tmp_path / "damaged"
    shutil.copytree(encoder_folder, damaged)
    weights = damaged / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ValueError, match="damaged: cannot be loaded as a HuBERT encoder"):
        encoder.load(damaged, 1)

    other = tmp_path / "other"
    shutil.copytree(encoder_folder, other)
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "model_type": "llama"}))
    with pytest.raises(ValueError, match=r"one of .hubert., .wav2vec2., .wavlm. is expected"):
        encoder.load(other, 1)

    taller = tmp_path / "taller"
    shutil.copytree(encoder_folder, taller)
    (taller / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 5}))
    with pytest.raises(ValueError, match="weights are missing"):
        encoder.load(taller, 1)

    silent = tmp_path / "silent"
    shutil.copytree(encoder_folder, silent)
    (silent / "preprocessor_config.json").unlink()
    with pytest.raises(ValueError, match=r"no readable preprocessor_config\.json"):
        encoder.load(silent, 1)


@pytest.mark.parametrize("kind", ["Wav2Vec2", "WavLM"])
@pytest.mark.parametrize("stable", [False, True])
def test_other_encoders_of_the_family(kind: str, stable: bool, tmp_path: Path) -> None:
    torch.manual_seed(0)
    shape = {
        "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2,
        "conv_dim": [8] * 7, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2,
        "feat_extract_norm": "layer" if stable else "group", "do_stable_layer_norm": stable,
    }  # fmt: skip
    config = getattr(transformers, f"{kind}Config")(**shape)
    model = getattr(transformers, f"{kind}Model")(config).eval()
    values = torch.from_numpy(normalise(waves()[4]))[None]
    with torch.inference_mode():
        expected = model(values, output_hidden_states=True).hidden_states[2][0].numpy()
    encoder.save(model, True, tmp_path)
    network, _ = encoder.load(tmp_path, 2)
    together = network.features(waves())
    np.testing.assert_allclose(together[4], expected, atol=2e-5)
    for wave, features in zip(waves(), together, strict=True):
        np.testing.assert_allclose(features, network.features([wave])[0], atol=3e-5)


def test_another_sampling_rate(encoder_folder: str, tmp_path: Path) -> None:
    shutil.copytree(encoder_folder, tmp_path / "e")
    path = tmp_path / "e/preprocessor_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "sampling_rate": 8000}))
    with pytest.raises(ValueError, match=r"preprocessor_config\.json says a sampling_rate of 8000 Hz"):
        encoder.load(tmp_path / "e", 1)


class Evil:
    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return (os.system, (f"touch {self.path}",))


def test_pickled_code_in_a_checkpoint_is_not_run(encoder_folder: str, tmp_path: Path) -> None:
    folder = tmp_path / "e"
    shutil.copytree(encoder_folder, folder)
    (folder / "model.safetensors").unlink()
    torch.save({**tiny_hubert().state_dict(), "x": Evil(tmp_path / "ran")}, folder / "pytorch_model.bin")
    with pytest.raises(ValueError, match="e: cannot be loaded as a HuBERT encoder"):
        encoder.load(folder, 1)
    assert not (tmp_path / "ran").exists()
    torch.save(tiny_hubert().state_dict(), folder / "pytorch_model.bin")
    assert encoder.load(folder, 1)[0].features([waves()[4]])[0].shape == (frame_count(16_001), 16)
