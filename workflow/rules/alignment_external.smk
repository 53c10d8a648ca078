"""Import external alignments, those of alignment.external. Included by alignment.smk.

In: the folder alignment.external, corpus/cuts and corpus/tasks, and the audio of the cuts where units are computed.
Out: per shard and task the cuts with these alignments, and what was dropped; no word is guessed.
"""


rule alignment_import_external:
    """One shard of cuts with the alignments of the folder alignment.external."""
    input:
        cuts=f"{CORPUS}/cuts/{{split}}/{{shard}}.jsonl.gz",
        external=EXTERNAL["alignment"],
    output:
        cuts=f"{ALIGNMENT}/cuts/{{split}}/{{shard}}.jsonl.gz",
        dropped=f"{ALIGNMENT}/dropped/{{split}}/{{shard}}.csv",
        guessed=f"{ALIGNMENT}/guessed/{{split}}/{{shard}}.csv",
    log:
        f"{RESULTS}/logs/alignment/import_external/{{split}}/{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/alignment/import_external/{{split}}/{{shard}}.tsv"
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.alignment.import_external"),
        split=lambda wildcards: wildcards.split,
        # Units made elsewhere need no audio at all; for ours it must be readable.
        audio=lambda w: ["--audio-root", audio_root(w)] if not config["units"]["external"] else [],
    shell:
        "python -m scripts.alignment.import_external"
        " --cuts {input.cuts}"
        " {params.audio:q}"
        " --external {input.external:q}"
        " --split {params.split}"
        " --out {output.cuts}"
        " --dropped {output.dropped}"
        " --guessed {output.guessed}"
        " 2>&1 | tee {log}"


# The sides of every item of a task.
use rule alignment_import_external as alignment_import_external_task with:
    input:
        cuts=f"{CORPUS}/tasks/{{task}}.jsonl.gz",
        external=EXTERNAL["alignment"],
    output:
        cuts=f"{ALIGNMENT}/tasks/{{task}}.jsonl.gz",
        dropped=f"{ALIGNMENT}/dropped/tasks/{{task}}.csv",
        guessed=f"{ALIGNMENT}/guessed/tasks/{{task}}.csv",
    log:
        f"{RESULTS}/logs/alignment/import_external/tasks/{{task}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/alignment/import_external/tasks/{{task}}.tsv"
    params:
        split=lambda wildcards: wildcards.task,
