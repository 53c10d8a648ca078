"""Import external units, those of units.external or what the program units.command writes. Included by units.smk.

In: the folder units.external, or the audio; alignment/cuts and alignment/tasks.
Out: what units.smk names, and units/external/ (a store of the folder's units).
"""

UNITS_SETTING = "units.command" if config["units"]["command"] else "units.external"
UNIT_FILES = []

if config["units"]["command"]:

    include: "units_command.smk"


rule units_external:
    """Read the folder once into a store that jobs look up by cut."""
    input:
        folder=UNIT_FILES or EXTERNAL["units"],
    output:
        store=directory(f"{UNITS}/external"),
        about=f"{UNITS}/kmeans.json",
    log:
        f"{RESULTS}/logs/units/external.log",
    benchmark:
        f"{RESULTS}/benchmarks/units/external.tsv"
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.units.external"),
        folder=EXTERNAL["units"],
        setting=UNITS_SETTING,
        clusters=config["units"]["clusters"],
    shell:
        "python -m scripts.units.external"
        " --folder {params.folder:q}"
        " --setting {params.setting}"
        " --clusters {params.clusters}"
        " --out {output.store}"
        " 2>&1 | tee {log}"
        " && cp {output.store}/about.json {output.about}"


rule units_import_external:
    """Units of one shard of a split."""
    input:
        cuts=f"{ALIGNMENT}/cuts/{{split}}/{{shard}}.jsonl.gz",
        store=f"{UNITS}/external",
    output:
        units=f"{UNITS}/{{split}}/{{shard}}.npz",
    log:
        f"{RESULTS}/logs/units/import_external/{{split}}/{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/units/import_external/{{split}}/{{shard}}.tsv"
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.units.import_external"),
        setting=UNITS_SETTING,
    shell:
        "python -m scripts.units.import_external"
        " --cuts {input.cuts}"
        " --setting {params.setting}"
        " --store {input.store}"
        " --output {output.units}"
        " 2>&1 | tee {log}"


use rule units_import_external as units_import_external_task with:
    input:
        cuts=f"{ALIGNMENT}/tasks/{{task}}.jsonl.gz",
        store=f"{UNITS}/external",
    output:
        units=f"{UNITS}/tasks/{{task}}.npz",
    log:
        f"{RESULTS}/logs/units/import_external/tasks/{{task}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/units/import_external/tasks/{{task}}.tsv"


rule units_external_quality:
    """Compare the units with the aligned phones."""
    input:
        dev_cuts=expand(f"{ALIGNMENT}/cuts/dev/{{shard}}.jsonl.gz", shard=SHARDS["dev"]),
        dev_units=expand(f"{UNITS}/dev/{{shard}}.npz", shard=SHARDS["dev"]),
    output:
        quality=f"{UNITS}/quality.csv",
    log:
        f"{RESULTS}/logs/units/external_quality.log",
    benchmark:
        f"{RESULTS}/benchmarks/units/external_quality.tsv"
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.units.external_quality"),
        clusters=config["units"]["clusters"],
        frame_rate=config["units"]["frame_rate"],
        seed=config["seed"],
    shell:
        "python -m scripts.units.external_quality"
        " --dev-cuts {input.dev_cuts}"
        " --dev-units {input.dev_units}"
        " --clusters {params.clusters}"
        " --frame-rate {params.frame_rate}"
        " --seed {params.seed}"
        " --output {output.quality}"
        " 2>&1 | tee {log}"
