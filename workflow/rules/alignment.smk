"""The phones and words of every cut with their times.

In: corpus/cuts and corpus/tasks, and what alignment_computed.smk or, with alignment.external, alignment_external.smk
names besides.
Out: alignment/cuts/{split}/{shard}.jsonl.gz and alignment/tasks/{task}.jsonl.gz: the cuts with phone and word
alignments, without those in alignment/dropped.csv. Later stages read these cuts only.
alignment/guessed.csv lists words with a guessed pronunciation, alignment/export holds the alignments as CTM and TextGrid.
"""


include: "alignment_external.smk" if EXTERNAL["alignment"] else "alignment_computed.smk"


rule alignment_dropped:
    """Merge the tables of dropped cuts; an error if a split lost too much or a task has none left."""
    input:
        dropped=[f"{ALIGNMENT}/dropped/{split}/{shard}.csv" for split in SPLITS for shard in SHARDS[split]]
        + expand(f"{ALIGNMENT}/dropped/tasks/{{task}}.csv", task=TASKS),
        aligned=[f"{ALIGNMENT}/cuts/{split}/{shard}.jsonl.gz" for split in SPLITS for shard in SHARDS[split]]
        + expand(f"{ALIGNMENT}/tasks/{{task}}.jsonl.gz", task=TASKS),
    output:
        f"{ALIGNMENT}/dropped.csv",
    log:
        f"{RESULTS}/logs/alignment/dropped.log",
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.alignment.merge_dropped"),
        aligned=[f"{split}={ALIGNMENT}/cuts/{split}/{shard}.jsonl.gz" for split in SPLITS for shard in SHARDS[split]]
        + [f"{task}={ALIGNMENT}/tasks/{task}.jsonl.gz" for task in TASKS],
        splits=SPLITS,
        limits=part_json(config["corpus"], Limits),
    shell:
        "python -m scripts.alignment.merge_dropped"
        " --dropped {input.dropped}"
        " --aligned {params.aligned:q}"
        " --splits {params.splits}"
        " --limits {params.limits:q}"
        " --out {output}"
        " 2>&1 | tee {log}"


rule alignment_guessed:
    """Merge the tables of words with a guessed pronunciation."""
    input:
        guessed=[f"{ALIGNMENT}/guessed/{split}/{shard}.csv" for split in SPLITS for shard in SHARDS[split]]
        + expand(f"{ALIGNMENT}/guessed/tasks/{{task}}.csv", task=TASKS),
    output:
        f"{ALIGNMENT}/guessed.csv",
    log:
        f"{RESULTS}/logs/alignment/guessed.log",
    localrule: True
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.alignment.merge_guessed"),
    shell:
        "python -m scripts.alignment.merge_guessed" " --guessed {input.guessed}" " --out {output}" " 2>&1 | tee {log}"


rule alignment_export:
    """Export one shard's words and phones as Kaldi CTM and Praat TextGrids, for `alignment_exchange`."""
    input:
        cuts=f"{ALIGNMENT}/cuts/{{split}}/{{shard}}.jsonl.gz",
    output:
        directory(f"{ALIGNMENT}/export/{{split}}/{{shard}}"),
    log:
        f"{RESULTS}/logs/alignment/export/{{split}}/{{shard}}.log",
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.alignment.export"),
    shell:
        "python -m scripts.alignment.export" " --cuts {input.cuts}" " --out {output}" " 2>&1 | tee {log}"


rule alignment_exchange:
    """Export all shards as CTM and TextGrids."""
    input:
        [f"{ALIGNMENT}/export/{split}/{shard}" for split in SPLITS for shard in SHARDS[split]],
    localrule: True
