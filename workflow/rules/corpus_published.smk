"""Test sets in a published layout as task items: in come sound files and their tables, out go unchecked items.

Included by corpus.smk where the corpus is not written here; its rule corpus_manifest_tasks checks the items.
"""

from scripts.corpus.published.config import PublishedSet

TASK_ROOTS |= {
    name: task["folder"] if "folder" in task else download_target(task["dataset"]) for name, task in PUBLISHED.items()
}


rule corpus_published_tasks:
    """A published test set as items, paired by its own keys; what has no partner or no sound is listed."""
    input:
        done=lambda wildcards: [
            downloaded(task["dataset"]) for task in [PUBLISHED[wildcards.task]] if "dataset" in task
        ],
        transcripts=lambda wildcards: PUBLISHED[wildcards.task].get("transcripts", []),
    output:
        pairs=f"{CORPUS}/published/{{task}}.jsonl.gz",
        dropped=f"{CORPUS}/dropped/published/{{task}}.csv",
    log:
        f"{RESULTS}/logs/corpus/published_tasks/{{task}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/corpus/published_tasks/{{task}}.tsv"
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.corpus.published.tasks"),
        folder=lambda wildcards: TASK_ROOTS[wildcards.task],
        config=lambda wildcards: as_json(
            {
                key: value
                for key, value in PUBLISHED[wildcards.task].items()
                if key in ("format", "split", "transcripts")
            }
        ),
        limits=part_json(config["corpus"], Limits),
    shell:
        "python -m scripts.corpus.published.tasks"
        " --task {wildcards.task}"
        " --folder {params.folder:q}"
        " --config {params.config:q}"
        " --out {output.pairs}"
        " --dropped {output.dropped}"
        " --limits {params.limits:q}"
        " 2>&1 | tee {log}"
