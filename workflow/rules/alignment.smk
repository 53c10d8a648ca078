"""Phones and words with their times, by a GMM-HMM trained here.

In: corpus/cuts, corpus/tasks, corpus/lexicon.txt, and the audio that cuts point at.
Out: alignment/model, alignment/cuts/{split}/{shard}.jsonl.gz and alignment/tasks/{task}.jsonl.gz: the same cuts
with phone and word alignments, less those in alignment/dropped.csv. Later stages see exactly these cuts.
"""

ALIGN_CONFIG = as_json(config["alignment"], "beam", "oov", "min_log_likelihood")


rule alignment_train:
    """Train monophone GMM-HMMs from a flat start on a sample drawn evenly over speakers."""
    input:
        cuts=expand(f"{RESULTS}/corpus/cuts/train/{{shard}}.jsonl.gz", shard=SHARDS["train"]),
        lexicon=f"{RESULTS}/corpus/lexicon.txt",
        code=module_files("scripts.alignment.train"),
    output:
        model=directory(f"{RESULTS}/alignment/model"),
    log:
        f"{RESULTS}/logs/alignment/train.log",
    benchmark:
        f"{RESULTS}/benchmarks/alignment/train.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        audio_root=AUDIO_ROOT,
        config=as_json(
            config["alignment"],
            "sample_hours",
            "frame_shift_ms",
            "gaussians",
            "iterations",
            "beam",
            "oov",
        ),
        seed=config["seed"],
    shell:
        "python -m scripts.alignment.train"
        " --cuts {input.cuts}"
        " --audio-root {params.audio_root:q}"
        " --lexicon {input.lexicon}"
        " --config {params.config:q}"
        " --seed {params.seed}"
        " --out {output.model}"
        " 2>&1 | tee {log}"


rule alignment_align:
    """Force-align one shard of cuts; what cannot be aligned is dropped with a reason."""
    input:
        cuts=f"{RESULTS}/corpus/cuts/{{split}}/{{shard}}.jsonl.gz",
        model=f"{RESULTS}/alignment/model",
        lexicon=f"{RESULTS}/corpus/lexicon.txt",
        code=module_files("scripts.alignment.align"),
    output:
        cuts=f"{RESULTS}/alignment/cuts/{{split}}/{{shard}}.jsonl.gz",
        dropped=f"{RESULTS}/alignment/dropped/{{split}}/{{shard}}.csv",
    log:
        f"{RESULTS}/logs/alignment/align/{{split}}/{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/alignment/align/{{split}}/{{shard}}.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 1500 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        audio_root=AUDIO_ROOT,
        config=ALIGN_CONFIG,
    shell:
        "python -m scripts.alignment.align"
        " --cuts {input.cuts}"
        " --audio-root {params.audio_root:q}"
        " --model {input.model}"
        " --lexicon {input.lexicon}"
        " --split {wildcards.split}"
        " --config {params.config:q}"
        " --out {output.cuts}"
        " --dropped {output.dropped}"
        " 2>&1 | tee {log}"


rule alignment_align_task:
    """Force-align both sides of every item of a task; an item leaves whole when either side does."""
    input:
        cuts=f"{RESULTS}/corpus/tasks/{{task}}.jsonl.gz",
        model=f"{RESULTS}/alignment/model",
        lexicon=f"{RESULTS}/corpus/lexicon.txt",
        code=module_files("scripts.alignment.align"),
    output:
        cuts=f"{RESULTS}/alignment/tasks/{{task}}.jsonl.gz",
        dropped=f"{RESULTS}/alignment/dropped/tasks/{{task}}.csv",
    log:
        f"{RESULTS}/logs/alignment/align_task/{{task}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/alignment/align_task/{{task}}.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 1500 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        audio_root=AUDIO_ROOT,
        config=ALIGN_CONFIG,
    shell:
        "python -m scripts.alignment.align"
        " --cuts {input.cuts}"
        " --audio-root {params.audio_root:q}"
        " --model {input.model}"
        " --lexicon {input.lexicon}"
        " --split {wildcards.task}"
        " --config {params.config:q}"
        " --out {output.cuts}"
        " --dropped {output.dropped}"
        " 2>&1 | tee {log}"


rule alignment_dropped:
    """One table of everything that could not be aligned; an error if a split or task has nothing left."""
    input:
        dropped=[f"{RESULTS}/alignment/dropped/{split}/{shard}.csv" for split in SPLITS for shard in SHARDS[split]]
        + expand(f"{RESULTS}/alignment/dropped/tasks/{{task}}.csv", task=TASKS),
        aligned=[f"{RESULTS}/alignment/cuts/{split}/{shard}.jsonl.gz" for split in SPLITS for shard in SHARDS[split]]
        + expand(f"{RESULTS}/alignment/tasks/{{task}}.jsonl.gz", task=TASKS),
        code=module_files("scripts.alignment.dropped"),
    output:
        f"{RESULTS}/alignment/dropped.csv",
    log:
        f"{RESULTS}/logs/alignment/dropped.log",
    conda:
        "../../envs/core.yaml"
    params:
        aligned=[
            f"{split}={RESULTS}/alignment/cuts/{split}/{shard}.jsonl.gz" for split in SPLITS for shard in SHARDS[split]
        ]
        + [f"{task}={RESULTS}/alignment/tasks/{task}.jsonl.gz" for task in TASKS],
    shell:
        "python -m scripts.alignment.dropped"
        " --dropped {input.dropped}"
        " --aligned {params.aligned:q}"
        " --out {output}"
        " 2>&1 | tee {log}"
