"""Which layer, how many clusters? `snakemake unit_quality`; not part of the report. Not for units made elsewhere.

In: units/encoder/, alignment/cuts and the audio. Out: units/sweep/{layer}.csv for the layers of units.sweep, and the
figures report/figures/{unit_sweep,kmeans}.* (report_figures.smk).
"""

from scripts.units.config import Sweeping


rule units_sweep:
    """Cluster one layer's features at every K of units.sweep and measure the units of dev."""
    input:
        train_cuts=TRAIN_CUTS,
        dev_cuts=expand(f"{ALIGNMENT}/cuts/dev/{{shard}}.jsonl.gz", shard=SHARDS["dev"]),
        encoder=f"{UNITS}/encoder",
    output:
        sweep=f"{UNITS}/sweep/{{layer}}.csv",
    log:
        f"{RESULTS}/logs/units/sweep/{{layer}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/units/sweep/{{layer}}.tsv"
    wildcard_constraints:
        layer=r"\d+",
    conda:
        environment("units")
    threads: config["units"]["threads"]
    resources:
        gpu=config["cluster"]["gpus"]["units"],
    params:
        code=code_of("scripts.units.sweep"),
        clusters=config["units"]["sweep"]["clusters"],
        config=part_json(config["units"], Sweeping),
        audio_root=AUDIO_ROOT,
        seed=config["seed"],
        threads=config["units"]["threads"],
    shell:
        "python -m scripts.units.sweep"
        " --train-cuts {input.train_cuts}"
        " --dev-cuts {input.dev_cuts}"
        " --audio-root {params.audio_root:q}"
        " --encoder {input.encoder}"
        " --layer {wildcards.layer}"
        " --clusters {params.clusters}"
        " --config {params.config:q}"
        " --seed {params.seed}"
        " --threads {params.threads}"
        " --output {output.sweep}"
        " 2>&1 | tee {log}"
