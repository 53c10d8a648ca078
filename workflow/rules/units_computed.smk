"""Compute units: a HuBERT encoder, clusters of its features, and every utterance as cluster numbers.

Included by units.smk.
In: alignment/cuts, alignment/tasks (which utterances; their phones, to measure quality) and the audio.
Out: what units.smk names, units/encoder/ and units/kmeans.npy. Features are never written.
"""

from scripts.units.config import Clustering, Encoder, EncoderSource, Extraction, Measuring

TRAIN_CUTS = expand(f"{ALIGNMENT}/cuts/train/{{shard}}.jsonl.gz", shard=SHARDS["train"])
# An encoder made elsewhere needs no speech, no seed and none of the training's settings.
PRETRAINING = config["units"]["encoder"]["source"] == "pretrain"


rule units_encoder:
    """Pretrain a small HuBERT on the training cuts, or fetch the encoder that the config names.

    Resumes by itself from units/encoder.checkpoints/, which is undeclared so that it survives a failure.
    """
    input:
        cuts=TRAIN_CUTS if PRETRAINING else [],
        source=[] if PRETRAINING else model_files(config["units"]["encoder"]["source"]),
    output:
        encoder=directory(f"{UNITS}/encoder"),
    log:
        f"{RESULTS}/logs/units/encoder.log",
    benchmark:
        f"{RESULTS}/benchmarks/units/encoder.tsv"
    priority: 2  # the critical path to the last model leads through the units
    conda:
        environment("units")
    threads: config["units"]["threads"]
    resources:
        gpu=config["cluster"]["gpus"]["units"],
    params:
        code=code_of("scripts.units.pretrain"),
        config=part_json(config["units"]["encoder"], Encoder if PRETRAINING else EncoderSource),
        audio_root=AUDIO_ROOT,
        seed=config["seed"],
        threads=config["units"]["threads"],
    shell:
        "python -m scripts.units.pretrain"
        " --cuts {input.cuts}"
        " --audio-root {params.audio_root:q}"
        " --config {params.config:q}"
        " --seed {params.seed}"
        " --threads {params.threads}"
        " --output {output.encoder}"
        " 2>&1 | tee {log}"


rule units_kmeans:
    """Cluster a seeded sample of the training frames' features."""
    input:
        cuts=TRAIN_CUTS,
        encoder=f"{UNITS}/encoder",
    output:
        kmeans=f"{UNITS}/kmeans.npy",
        about=f"{UNITS}/kmeans.json",
    log:
        f"{RESULTS}/logs/units/kmeans.log",
    benchmark:
        f"{RESULTS}/benchmarks/units/kmeans.tsv"
    priority: 2  # the critical path to the last model leads through the units
    conda:
        environment("units")
    threads: config["units"]["threads"]
    resources:
        gpu=config["cluster"]["gpus"]["units"],
    params:
        code=code_of("scripts.units.kmeans"),
        config=part_json(config["units"], Clustering),
        audio_root=AUDIO_ROOT,
        seed=config["seed"],
        threads=config["units"]["threads"],
    shell:
        "python -m scripts.units.kmeans"
        " --cuts {input.cuts}"
        " --audio-root {params.audio_root:q}"
        " --encoder {input.encoder}"
        " --config {params.config:q}"
        " --seed {params.seed}"
        " --threads {params.threads}"
        " --output {output.kmeans}"
        " --about {output.about}"
        " 2>&1 | tee {log}"


rule units_extract:
    """Units of one shard of a split."""
    input:
        cuts=f"{ALIGNMENT}/cuts/{{split}}/{{shard}}.jsonl.gz",
        encoder=f"{UNITS}/encoder",
        kmeans=f"{UNITS}/kmeans.npy",
        about=f"{UNITS}/kmeans.json",
    output:
        units=f"{UNITS}/{{split}}/{{shard}}.npz",
    log:
        f"{RESULTS}/logs/units/extract/{{split}}/{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/units/extract/{{split}}/{{shard}}.tsv"
    priority: 2  # the critical path to the last model leads through the units
    conda:
        environment("units")
    threads: config["units"]["threads"] + config["units"]["decode_workers"]
    resources:
        gpu=config["cluster"]["gpus"]["units"],
    params:
        code=code_of("scripts.units.extract"),
        config=part_json(config["units"], Extraction),
        audio_root=audio_root,
        threads=config["units"]["threads"],
    shell:
        "python -m scripts.units.extract"
        " --cuts {input.cuts}"
        " --audio-root {params.audio_root:q}"
        " --encoder {input.encoder}"
        " --kmeans {input.kmeans}"
        " --about {input.about}"
        " --config {params.config:q}"
        " --threads {params.threads}"
        " --output {output.units}"
        " 2>&1 | tee {log}"


use rule units_extract as units_extract_task with:
    input:
        cuts=f"{ALIGNMENT}/tasks/{{task}}.jsonl.gz",
        encoder=f"{UNITS}/encoder",
        kmeans=f"{UNITS}/kmeans.npy",
        about=f"{UNITS}/kmeans.json",
    output:
        units=f"{UNITS}/tasks/{{task}}.npz",
    log:
        f"{RESULTS}/logs/units/extract_task/{{task}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/units/extract_task/{{task}}.tsv"


rule units_quality:
    """Compare the units with the aligned phones, beside MFCC clusters and an untrained encoder."""
    input:
        train_cuts=TRAIN_CUTS,
        dev_cuts=expand(f"{ALIGNMENT}/cuts/dev/{{shard}}.jsonl.gz", shard=SHARDS["dev"]),
        dev_units=expand(f"{UNITS}/dev/{{shard}}.npz", shard=SHARDS["dev"]),
        encoder=f"{UNITS}/encoder",
    output:
        quality=f"{UNITS}/quality.csv",
    log:
        f"{RESULTS}/logs/units/quality.log",
    benchmark:
        f"{RESULTS}/benchmarks/units/quality.tsv"
    conda:
        environment("units")
    threads: config["units"]["threads"]
    resources:
        gpu=config["cluster"]["gpus"]["units"],
    params:
        code=code_of("scripts.units.quality"),
        config=part_json(config["units"], Measuring),
        audio_root=AUDIO_ROOT,
        seed=config["seed"],
        threads=config["units"]["threads"],
    shell:
        "python -m scripts.units.quality"
        " --train-cuts {input.train_cuts}"
        " --dev-cuts {input.dev_cuts}"
        " --dev-units {input.dev_units}"
        " --audio-root {params.audio_root:q}"
        " --encoder {input.encoder}"
        " --config {params.config:q}"
        " --seed {params.seed}"
        " --threads {params.threads}"
        " --output {output.quality}"
        " 2>&1 | tee {log}"


include: "unit_quality.smk"
