"""Tasks made of dev's own recordings: in come the cuts of dev, out go items whose sides are spliced of them.

Included by corpus.smk where the corpus is recorded speech.
"""

from scripts.corpus.speech.config import NextUtterance

TASK_ROOTS |= dict.fromkeys(DEV_TASKS, f"{CORPUS}/audio")


rule corpus_next_utterance:
    """Contexts of dev with their own continuation and another one, in mirrored couples."""
    input:
        cuts=expand(f"{CORPUS}/cuts/dev/{{shard}}.jsonl.gz", shard=SHARDS["dev"]),
    output:
        audio=directory(f"{CORPUS}/audio/tasks/{{task}}"),
        pairs=f"{CORPUS}/tasks/{{task}}.jsonl.gz",
        dropped=f"{CORPUS}/dropped/tasks/{{task}}.csv",
    log:
        f"{RESULTS}/logs/corpus/next_utterance/{{task}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/corpus/next_utterance/{{task}}.tsv"
    wildcard_constraints:
        task="|".join(DEV_TASKS) or "no-task",
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.corpus.speech.next_utterance"),
        audio_root=AUDIO_ROOT,
        config=lambda wildcards: part_json(DEV_TASKS[wildcards.task], NextUtterance),
        limits=part_json(config["corpus"], Limits),
        seed=config["seed"],
    shell:
        "python -m scripts.corpus.speech.next_utterance"
        " --cuts {input.cuts}"
        " --audio-root {params.audio_root:q}"
        " --task {wildcards.task}"
        " --config {params.config:q}"
        " --limits {params.limits:q}"
        " --seed {params.seed}"
        " --audio {output.audio}"
        " --items {output.pairs}"
        " --dropped {output.dropped}"
        " 2>&1 | tee {log}"
