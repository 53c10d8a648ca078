"""Run by fairseq's Python: write a small real HuBERT checkpoint, and its features at every layer.

Usage: fairseq_model.py FOLDER group|layer. Writes model.pt, weights.npz (names are fairseq's) and features.npz.
"""

import sys
from dataclasses import asdict

import numpy
import torch
from fairseq.models.hubert.hubert import HubertConfig, HubertModel
from fairseq.tasks.hubert_pretraining import HubertPretrainingConfig

folder, kind = sys.argv[1:]
large = kind == "layer"
torch.manual_seed(1)
config = HubertConfig(
    extractor_mode="layer_norm" if large else "default", layer_norm_first=large, conv_bias=False,
    encoder_layers=3, encoder_embed_dim=16, encoder_ffn_embed_dim=32, encoder_attention_heads=2,
    final_dim=8, label_rate=50.0, dropout=0.0,
    conv_feature_layers="[(8,10,5)] + [(8,3,2)] * 4 + [(8,2,2)] * 2", conv_pos=16, conv_pos_groups=2,
)  # fmt: skip
task = HubertPretrainingConfig(data="nowhere", normalize=large)
model = HubertModel(config, task, [range(5)]).eval()
# Settings that fairseq-hydra-train would have filled in ("${task...}") are left at their defaults.
plain = {key: getattr(value, "value", value) for key, value in asdict(config).items()}
plain = {key: value for key, value in plain.items() if not str(value).startswith("${")}
settings = {**plain, "_name": "hubert"}
saved = {"cfg": {"model": settings, "task": {"_name": "hubert_pretraining", "normalize": large}}}
torch.save({**saved, "model": model.state_dict()}, f"{folder}/model.pt")
numpy.savez(f"{folder}/weights.npz", **{k: v.numpy() for k, v in model.state_dict().items()})
wave = torch.from_numpy(numpy.load(f"{folder}/wave.npy"))[None]
with torch.no_grad():  # fairseq's own way to ask for a layer
    found = {str(n): model.extract_features(wave, mask=False, output_layer=n)[0][0].numpy() for n in (1, 2, 3)}
numpy.savez(f"{folder}/features.npz", **found)
