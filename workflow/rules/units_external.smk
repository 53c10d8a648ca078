"""Units made elsewhere in the place of ours: units.external. Included instead of units.smk.

In: the folder units.external, alignment/cuts and alignment/tasks. Out: units/external/ (the folder, read once),
units/kmeans.json (how many units there are), units/{split}/{shard}.npz, units/tasks/{task}.npz and units/quality.csv.
"""


rule units_external:
    """Read the folder once and put every utterance's units where jobs find them."""
    input:
        folder=config["units"]["external"],
    output:
        store=directory(f"{UNITS}/external"),
        about=f"{UNITS}/kmeans.json",
    log:
        f"{RESULTS}/logs/units/external.log",
    benchmark:
        f"{RESULTS}/benchmarks/units/external.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        code=code_of("scripts.units.external"),
        clusters=config["units"]["clusters"],
    shell:
        "python -m scripts.units.external"
        " --folder {input.folder:q}"
        " --clusters {params.clusters}"
        " --out {output.store}"
        " 2>&1 | tee {log}"
        " && cp {output.store}/about.json {output.about}"


rule units_adopt:
    """Units of one shard of a split."""
    input:
        cuts=f"{ALIGNMENT}/cuts/{{split}}/{{shard}}.jsonl.gz",
        store=f"{UNITS}/external",
    output:
        units=f"{UNITS}/{{split}}/{{shard}}.npz",
    log:
        f"{RESULTS}/logs/units/adopt/{{split}}/{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/units/adopt/{{split}}/{{shard}}.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        code=code_of("scripts.units.adopt"),
    shell:
        "python -m scripts.units.adopt"
        " --cuts {input.cuts}"
        " --store {input.store}"
        " --output {output.units}"
        " 2>&1 | tee {log}"


use rule units_adopt as units_adopt_task with:
    input:
        cuts=f"{ALIGNMENT}/tasks/{{task}}.jsonl.gz",
        store=f"{UNITS}/external",
    output:
        units=f"{UNITS}/tasks/{{task}}.npz",
    log:
        f"{RESULTS}/logs/units/adopt/tasks/{{task}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/units/adopt/tasks/{{task}}.tsv"


rule units_adopted_quality:
    """Compare the units with the aligned phones."""
    input:
        dev_cuts=expand(f"{ALIGNMENT}/cuts/dev/{{shard}}.jsonl.gz", shard=SHARDS["dev"]),
        dev_units=expand(f"{UNITS}/dev/{{shard}}.npz", shard=SHARDS["dev"]),
    output:
        quality=f"{UNITS}/quality.csv",
    log:
        f"{RESULTS}/logs/units/adopted_quality.log",
    benchmark:
        f"{RESULTS}/benchmarks/units/adopted_quality.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        code=code_of("scripts.units.adopted_quality"),
        clusters=config["units"]["clusters"],
        frame_rate=config["units"]["frame_rate"],
    shell:
        "python -m scripts.units.adopted_quality"
        " --dev-cuts {input.dev_cuts}"
        " --dev-units {input.dev_units}"
        " --clusters {params.clusters}"
        " --frame-rate {params.frame_rate}"
        " --output {output.quality}"
        " 2>&1 | tee {log}"
