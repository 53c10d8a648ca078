"""Align by a GMM-HMM that is trained on the corpus. Included by alignment.smk.

In: corpus/cuts, corpus/tasks, corpus/lexicon.txt, corpus/lexicon_tasks.txt, and the audio of the cuts.
Out: alignment/model, and per shard and task the aligned cuts, what was dropped and which words were guessed.
"""

from scripts.alignment.config import Aligning, Training

ALIGN_CONFIG = part_json(config["alignment"], Aligning)


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
    priority: 2  # nearly everything waits for it
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
    priority: 2  # units and their models, the longest path, wait for it
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
