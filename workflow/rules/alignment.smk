"""Align phones and words with a GMM-HMM that is trained on the corpus.

In: corpus/cuts, corpus/tasks, corpus/lexicon.txt, and the audio of the cuts.
Out: alignment/model, alignment/cuts/{split}/{shard}.jsonl.gz and alignment/tasks/{task}.jsonl.gz: the cuts with phone
and word alignments, without those in alignment/dropped.csv. Later stages read these cuts only.
alignment/guessed.csv lists words with a guessed pronunciation, alignment/export holds the alignments as CTM and TextGrid.
If alignment.external is set, external alignments are imported, and no model is trained.
"""

from scripts.alignment.config import Aligning, Training

ALIGN_CONFIG = part_json(config["alignment"], Aligning)


if config["alignment"]["external"] is None:

    rule alignment_train:
        """Train the GMM-HMM from a flat start on a sample that is balanced over speakers."""
        input:
            cuts=expand(f"{CORPUS}/cuts/train/{{shard}}.jsonl.gz", shard=SHARDS["train"]),
            lexicon=f"{CORPUS}/lexicon.txt",
        output:
            model=directory(f"{ALIGNMENT}/model"),
        log:
            f"{RESULTS}/logs/alignment/train.log",
        benchmark:
            f"{RESULTS}/benchmarks/alignment/train.tsv"
        conda:
            "../../envs/core.yaml"
        params:
            code=code_of("scripts.alignment.train"),
            audio_root=AUDIO_ROOT,
            config=part_json(config["alignment"], Training),
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
        """Force-align one shard of cuts; cuts that cannot be aligned are dropped with a reason."""
        input:
            cuts=f"{CORPUS}/cuts/{{split}}/{{shard}}.jsonl.gz",
            model=f"{ALIGNMENT}/model",
            lexicon=f"{CORPUS}/lexicon.txt",
        output:
            cuts=f"{ALIGNMENT}/cuts/{{split}}/{{shard}}.jsonl.gz",
            dropped=f"{ALIGNMENT}/dropped/{{split}}/{{shard}}.csv",
            guessed=f"{ALIGNMENT}/guessed/{{split}}/{{shard}}.csv",
        log:
            f"{RESULTS}/logs/alignment/align/{{split}}/{{shard}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/alignment/align/{{split}}/{{shard}}.tsv"
        conda:
            "../../envs/core.yaml"
        params:
            code=code_of("scripts.alignment.align"),
            audio_root=audio_root,
            split=lambda wildcards: wildcards.split,
            config=ALIGN_CONFIG,
        shell:
            "python -m scripts.alignment.align"
            " --cuts {input.cuts}"
            " --audio-root {params.audio_root:q}"
            " --model {input.model}"
            " --lexicon {input.lexicon}"
            " --split {params.split}"
            " --config {params.config:q}"
            " --out {output.cuts}"
            " --dropped {output.dropped}"
            " --guessed {output.guessed}"
            " 2>&1 | tee {log}"

    # The sides of every item of a task; an item is dropped if any of its sides is.
    use rule alignment_align as alignment_align_task with:
        input:
            cuts=f"{CORPUS}/tasks/{{task}}.jsonl.gz",
            model=f"{ALIGNMENT}/model",
            lexicon=f"{CORPUS}/lexicon_tasks.txt",
        output:
            cuts=f"{ALIGNMENT}/tasks/{{task}}.jsonl.gz",
            dropped=f"{ALIGNMENT}/dropped/tasks/{{task}}.csv",
            guessed=f"{ALIGNMENT}/guessed/tasks/{{task}}.csv",
        log:
            f"{RESULTS}/logs/alignment/align_task/{{task}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/alignment/align_task/{{task}}.tsv"
        params:
            split=lambda wildcards: wildcards.task,

else:

    rule alignment_import_external:
        """One shard of cuts with the alignments of the folder alignment.external."""
        input:
            cuts=f"{CORPUS}/cuts/{{split}}/{{shard}}.jsonl.gz",
            external=config["alignment"]["external"],
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
            audio=lambda w: ["--audio-root", audio_root(w)] if config["units"]["external"] is None else [],
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
            external=config["alignment"]["external"],
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
