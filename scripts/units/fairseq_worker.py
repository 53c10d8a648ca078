"""A fairseq HuBERT in a process of its own: waveforms come in, features of one layer go out.

Notable: runs on fairseq's Python (3.10 and older packages, envs/fairseq.yaml) and imports nothing of this project.
Before it is opened, the checkpoint's pickle is read operation by operation: it may name tensors and fairseq's own
settings and nothing else, so no code inside a checkpoint is ever run.
Utterances go through one by one: no padding, nothing to mask.

Layer n is what scripts.units.encoder calls layer n: n transformer layers, before any final norm.

Each request on stdin is a line of JSON {"lengths": [N, ...]} and then the samples, float32; each answer on stdout a
line {"frames": [T, ...]} and then the features, float32. The first answer says what was loaded.
"""

import argparse
import json
import os
import pickletools
import sys
import zipfile

ALLOWED = {
    ("collections", "OrderedDict"),
    ("argparse", "Namespace"),
    ("torch._utils", "_rebuild_tensor_v2"),
    ("torch._utils", "_rebuild_parameter"),
    ("torch", "device"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
    ("fairseq.data.dictionary", "Dictionary"),
}


IMPORTS = {"GLOBAL", "STACK_GLOBAL", "INST", "EXT1", "EXT2", "EXT4"}  # operations of pickle that name code


def refuse_code(path):
    """ValueError if loading the checkpoint would import anything but what ALLOWED names; nothing is executed."""
    if not zipfile.is_zipfile(path):
        raise ValueError("it is not a file of torch 1.6 or later (a zip)")
    with zipfile.ZipFile(path) as file:
        names = file.namelist()
        pickled = [name for name in names if name.endswith(".pkl")]
        if len(set(names)) != len(names) or len(pickled) != 1 or not pickled[0].endswith("data.pkl"):
            raise ValueError("it is not a checkpoint of tensors: one data.pkl is expected")
        data = file.read(pickled[0])
    for operation, argument, _ in pickletools.genops(data):
        if operation.name in IMPORTS:
            module, _, name = str(argument).partition(" ")
            storage = module == "torch" and name.endswith("Storage") and name.isidentifier()
            if operation.name != "GLOBAL" or not ((module, name) in ALLOWED or storage):
                raise ValueError(f"it holds pickled code ({module}.{name}), which is refused")


def read_checkpoint(path):
    """(model, its settings): a fairseq HubertModel in evaluation mode; ValueError if the file holds something else."""
    import torch
    from fairseq.models.hubert.hubert import HubertConfig, HubertModel
    from fairseq.tasks.hubert_pretraining import HubertPretrainingConfig

    refuse_code(path)
    state = torch.load(path, map_location="cpu")
    if not isinstance(state, dict) or "model" not in state or not isinstance(state.get("cfg"), dict):
        raise ValueError("it is not a fairseq checkpoint with cfg and model (fairseq 0.12 writes both)")
    settings = dict(state["cfg"].get("model") or {})
    if settings.get("_name") != "hubert":
        raise ValueError(f"its model is {settings.get('_name')!r}; 'hubert' is expected (not fine-tuned)")
    task = dict(state["cfg"].get("task") or {})
    config = HubertConfig(**{key: value for key, value in settings.items() if key in HubertConfig.__dataclass_fields__})
    known = HubertPretrainingConfig.__dataclass_fields__
    pretraining = HubertPretrainingConfig(**{key: value for key, value in task.items() if key in known})
    model = HubertModel(config, pretraining, [None])
    loaded = model.load_state_dict(state["model"], strict=False)
    heads = ("final_proj", "label_embs_concat", "target_glu")  # of pretraining, no part of the features
    wrong = [n for n in [*loaded.missing_keys, *loaded.unexpected_keys] if not n.startswith(heads)]
    if wrong:
        raise ValueError(f"its weights do not fit its settings ({len(wrong)} of them, e.g. {wrong[0]})")
    model.remove_pretraining_modules()
    return model.float().eval(), task


def main():
    """Answer requests until stdin ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", required=True, help="fairseq .pt")
    parser.add_argument("--layer", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--device", required=True)
    args = parser.parse_args()

    # Answers go where stdout was; what libraries print must not come between them.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def answer(**line):
        answers.write((json.dumps(line) + "\n").encode())
        answers.flush()

    try:
        import logging

        logging.disable(logging.WARNING)
        import numpy
        import torch

        torch.set_num_threads(args.threads)
        model, task = read_checkpoint(args.checkpoint)
        depth = len(model.encoder.layers)
        if not 0 <= args.layer <= depth:
            raise ValueError(f"units.layer is {args.layer}; it has layers 0 to {depth}")
        model.encoder.layers = model.encoder.layers[: args.layer]
        # fairseq's extract_features norms the output of the last layer and no other one's: here none is normed.
        model.encoder.layer_norm_first, before = False, model.encoder.layer_norm_first
        if before:
            model.encoder.layer_norm = torch.nn.Identity()
        model.to(args.device)
    except Exception as error:
        answer(error=str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__)
        return
    answer(
        layers=depth,
        size=model.encoder.embedding_dim,
        normalize=bool(task.get("normalize", False)),
        sample_rate=int(task.get("sample_rate", 16000)),
    )
    while line := sys.stdin.buffer.readline():
        features_of_each = []
        for length in json.loads(line)["lengths"]:
            wave = numpy.frombuffer(sys.stdin.buffer.read(4 * length), numpy.float32)
            with torch.no_grad():
                source = torch.from_numpy(wave.copy())[None].to(args.device)
                features, _ = model.extract_features(source, mask=False)
            features_of_each.append(features[0].float().cpu().numpy())
        answer(frames=[len(frames) for frames in features_of_each])
        for frames in features_of_each:
            answers.write(frames.tobytes())
        answers.flush()


if __name__ == "__main__":
    main()
