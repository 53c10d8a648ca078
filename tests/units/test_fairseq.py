"""The same weights in fairseq and in transformers; skipped without a Python 3.10 with fairseq."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from scripts.common.files import write_json
from scripts.units import backend, encoder, pretrain
from scripts.units.waveforms import normalise
from tests.factories.models import tiny_hubert

PLACES = [os.environ.get("FAIRSEQ_PYTHON", ""), ".venv-fairseq/bin/python"]


@pytest.fixture(scope="module")
def python() -> str:
    for place in filter(None, PLACES):
        if (
            Path(place).exists()
            and subprocess.run([place, "-c", "import fairseq"], capture_output=True).returncode == 0
        ):
            return place
    pytest.skip("no Python with fairseq: run `make fairseq` (needs Python 3.10), or set FAIRSEQ_PYTHON")


def transformers_name(name: str) -> str:
    """What transformers calls a weight of fairseq's."""
    for old, new in [
        ("post_extract_proj", "feature_projection.projection"),
        ("encoder.pos_conv.0.weight_g", "encoder.pos_conv_embed.conv.parametrizations.weight.original0"),
        ("encoder.pos_conv.0.weight_v", "encoder.pos_conv_embed.conv.parametrizations.weight.original1"),
        ("encoder.pos_conv.0", "encoder.pos_conv_embed.conv"),
        ("self_attn_layer_norm", "layer_norm_of_layer"),
        ("self_attn", "attention"),
        ("fc1", "feed_forward.intermediate_dense"),
        ("fc2", "feed_forward.output_dense"),
        ("mask_emb", "masked_spec_embed"),
    ]:
        name = name.replace(old, new)
    if name.startswith("layer_norm."):
        return "feature_projection." + name
    if name.startswith("feature_extractor"):
        # conv_layers.N.0 is the convolution; .2 its group norm, .2.1 its layer norm.
        name = re.sub(r"(conv_layers\.\d)\.0\.", r"\1.conv.", name)
        return re.sub(r"(conv_layers\.\d)\.2(\.1)?\.", r"\1.layer_norm.", name)
    return name.replace("layer_norm_of_layer", "layer_norm")


def small(folder: Path, python: str, kind: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """A checkpoint in `folder`; a waveform, and fairseq's own features of it."""
    wave = np.random.default_rng(0).standard_normal(16_000).astype(np.float32)
    np.save(folder / "wave.npy", normalise(wave) if kind == "layer" else wave)
    script = Path(__file__).with_name("fairseq_model.py").resolve()
    subprocess.run([python, script, folder, kind], check=True, capture_output=True)
    return wave, dict(np.load(folder / "features.npz"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["group", "layer"])
def test_layers_are_the_same_layers(python: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wave, own = small(tmp_path, python, kind)
    section = f'{{"source": "{tmp_path}/model.pt", "backend": "fairseq", "fairseq_python": "{python}"}}'
    flags = ["--audio-root", "x", "--config", section, "--seed", "1", "--threads", "1"]
    monkeypatch.setattr(sys, "argv", ["x", *flags, "--output", str(tmp_path / "encoder")])
    pretrain.main()

    model = tiny_hubert(feat_extract_norm=kind, do_stable_layer_norm=kind == "layer", conv_bias=False)
    weights = {transformers_name(k): torch.from_numpy(v) for k, v in np.load(tmp_path / "weights.npz").items()}
    assert model.load_state_dict(weights, strict=False).missing_keys == []
    encoder.save(model, kind == "layer", tmp_path / "hf")
    for layer in (0, 1, 2, 3):
        theirs, digest = backend.load(tmp_path / "encoder", layer)
        ours, _ = backend.load(tmp_path / "hf", layer)
        assert theirs.normalise == ours.normalise == (kind == "layer")
        (a,), (b,) = theirs.features([wave]), ours.features([wave])
        assert len(digest) == 64
        assert np.abs(a - b).max() / np.abs(a).max() < 1e-3
        # fairseq itself, asked for its output_layer; where it norms the last one, that is another thing.
        if layer and not (kind == "layer" and layer == 3):
            assert np.abs(own[str(layer)] - b).max() / np.abs(b).max() < 1e-3
    assert backend.fingerprint(tmp_path / "encoder") == digest


class Evil:
    def __reduce__(self):
        return (os.system, ("touch /tmp/should-not-exist-fairseq",))


@pytest.mark.slow
def test_checkpoints_that_are_refused(python: str, tmp_path: Path) -> None:
    torch.save({"model": {}, "cfg": {}, "x": Evil()}, tmp_path / "evil.pt")
    torch.save({"model": {}, "cfg": {"model": {"_name": "wav2vec2"}}}, tmp_path / "other.pt")
    (tmp_path / "noise.pt").write_bytes(b"noise")
    out = tmp_path / "out"
    out.mkdir()
    for name, says in [
        ("evil", r"evil\.pt: .* pickled code \(posix\.system\), which is refused"),
        ("other", r"its model is 'wav2vec2'; 'hubert' is expected"),
        ("noise", "cannot be loaded"),
    ]:
        with pytest.raises(ValueError, match=says):
            backend.fetch_fairseq(str(tmp_path / f"{name}.pt"), python, out)
    assert not Path("/tmp/should-not-exist-fairseq").exists()
    small(tmp_path, python, "group")
    backend.fetch_fairseq(str(tmp_path / "model.pt"), python, out)
    with pytest.raises(ValueError, match=r"units\.layer is 4; it has layers 0 to 3"):
        backend.load(out, 4)


def test_without_checkpoint_or_interpreter(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such fairseq checkpoint"):
        backend.fetch_fairseq(str(tmp_path / "none.pt"), "python", tmp_path)
    write_json(tmp_path / "fairseq.json", {"python": "/nowhere/python"})
    (tmp_path / "fairseq.pt").touch()
    with pytest.raises(ValueError, match=r"units\.encoder\.fairseq_python is '/nowhere/python', which does not run"):
        backend.load(tmp_path, 1)
