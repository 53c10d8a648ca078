"""Let the program units.command compute units. Included by units_external.smk, which imports them.

In: alignment/cuts, alignment/tasks and the audio.
Out: units/command/{split}/{shard}.jsonl.gz and units/command/tasks/{task}.jsonl.gz.
"""

UNIT_FILES += [f"{UNITS}/command/{split}/{shard}.jsonl.gz" for split in SPLITS for shard in SHARDS[split]]
UNIT_FILES += expand(f"{UNITS}/command/tasks/{{task}}.jsonl.gz", task=TASKS)


rule units_command:
    """Units of one shard of a split."""
    input:
        cuts=f"{ALIGNMENT}/cuts/{{split}}/{{shard}}.jsonl.gz",
    output:
        units=f"{UNITS}/command/{{split}}/{{shard}}.jsonl.gz",
    log:
        f"{RESULTS}/logs/units/command/{{split}}/{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/units/command/{{split}}/{{shard}}.tsv"
    conda:
        environment("units")
    threads: config["units"]["threads"]
    resources:
        gpu=config["cluster"]["gpus"]["units"],
    params:
        code=code_of("scripts.units.run_command"),
        audio_root=audio_root,
        command=literal(config["units"]["command"]),
        timeout=config["units"]["command_timeout"],
    shell:
        "python -m scripts.units.run_command"
        " --cuts {input.cuts}"
        " --audio-root {params.audio_root:q}"
        " --command {params.command:q}"
        " --timeout {params.timeout}"
        " --out {output.units}"
        " 2>&1 | tee {log}"


use rule units_command as units_command_task with:
    input:
        cuts=f"{ALIGNMENT}/tasks/{{task}}.jsonl.gz",
    output:
        units=f"{UNITS}/command/tasks/{{task}}.jsonl.gz",
    log:
        f"{RESULTS}/logs/units/command/tasks/{{task}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/units/command/tasks/{{task}}.tsv"
