"""The phones and words of every cut with their times.

In: corpus/cuts and corpus/tasks, and what alignment_computed.smk or, with alignment.external, alignment_external.smk
names besides.
Out: alignment/cuts/{split}/{shard}.jsonl.gz and alignment/tasks/{task}.jsonl.gz: the cuts with phone and word
alignments, without those in alignment/dropped.csv. Later stages read these cuts only.
alignment/guessed.csv lists words with a guessed pronunciation, alignment/export holds the alignments as CTM and TextGrid.
"""

from scripts.corpus.config import AllLimits


include: "alignment_external.smk" if EXTERNAL["alignment"] else "alignment_computed.smk"


rule alignment_dropped:
    """Merge the tables of dropped cuts; an error if a split, the corpus as a whole or a task lost too much."""
    input:
        dropped=[f"{ALIGNMENT}/dropped/{split}/{shard}.csv" for split in SPLITS for shard in SHARDS[split]]
        + expand(f"{ALIGNMENT}/dropped/tasks/{{task}}.csv", task=TASKS),
        aligned=[f"{ALIGNMENT}/cuts/{split}/{shard}.jsonl.gz" for split in SPLITS for shard in SHARDS[split]]
        + expand(f"{ALIGNMENT}/tasks/{{task}}.jsonl.gz", task=TASKS),
        before=DROPPED_CUTS,
        task_items=expand(f"{CORPUS}/tasks/{{task}}.jsonl.gz", task=TASKS),
        items_before=[path for task in TASKS for path in DROPPED_ITEMS[task]],
    output:
        f"{ALIGNMENT}/dropped.csv",
    log:
        f"{RESULTS}/logs/alignment/dropped.log",
    priority: 1  # what ends the run is said before hours are spent on the rest
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.alignment.merge_dropped"),
        aligned=[f"{split}={ALIGNMENT}/cuts/{split}/{shard}.jsonl.gz" for split in SPLITS for shard in SHARDS[split]]
        + [f"{task}={ALIGNMENT}/tasks/{task}.jsonl.gz" for task in TASKS],
        task_items=[f"{task}={CORPUS}/tasks/{task}.jsonl.gz" for task in TASKS],
        items_before=[f"{task}={path}" for task in TASKS for path in DROPPED_ITEMS[task]],
        limits=part_json(config["corpus"], AllLimits),
    shell:
        "python -m scripts.alignment.merge_dropped"
        " --dropped {input.dropped}"
        " --aligned {params.aligned:q}"
        " --items {params.task_items:q}"
        " --before {input.before}"
        " --items-before {params.items_before:q}"
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
