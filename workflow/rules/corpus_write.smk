"""The text of the world: in come resources/world's words and templates, out go scripts to be spoken.

Included by corpus.smk where corpus.source is `world`.
"""

from scripts.corpus.config import Script, Tasks

WORLD_FILES = [
    str(HERE / "resources/world" / name)
    for name in (
        f"{config['corpus']['world']['lexicon']}/topics.yaml",
        f"{config['corpus']['world']['lexicon']}/shared.yaml",
        "planted.yaml",
        "grammar.yaml",
    )
]


rule corpus_write_tasks:
    """Write the three pair tasks' words and sentences, balanced in letters, phones and words by construction."""
    input:
        world=WORLD_FILES,
    output:
        tasks=expand(
            f"{CORPUS}/script/tasks/{{task}}.jsonl.gz",
            task=config["corpus"]["world"]["tasks"],
        ),
    log:
        f"{RESULTS}/logs/corpus/write_tasks.log",
    benchmark:
        f"{RESULTS}/benchmarks/corpus/write_tasks.tsv"
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.corpus.world.write_tasks"),
        config=part_json(config["corpus"]["world"], Tasks),
        seed=config["seed"],
        out=lambda wildcards, output: str(Path(output.tasks[0]).parent),
    shell:
        "python -m scripts.corpus.world.write_tasks"
        " --config {params.config:q}"
        " --seed {params.seed}"
        " --out {params.out}"
        " 2>&1 | tee {log}"


rule corpus_write:
    """Write the paragraphs of both splits, without any sentence of the tasks, as shards of whole chapters."""
    input:
        tasks=rules.corpus_write_tasks.output.tasks,
        world=WORLD_FILES,
    output:
        scripts=[f"{CORPUS}/script/{split}/{shard}.jsonl.gz" for split in SPLITS for shard in SHARDS[split]],
    log:
        f"{RESULTS}/logs/corpus/write.log",
    benchmark:
        f"{RESULTS}/benchmarks/corpus/write.tsv"
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.corpus.world.write"),
        config=part_json(config["corpus"]["world"], Script),
        shards=as_json(config["corpus"]["shards"]),
        seed=config["seed"],
        out=lambda wildcards, output: str(Path(output.scripts[0]).parents[1]),
    shell:
        "python -m scripts.corpus.world.write"
        " --config {params.config:q}"
        " --shards {params.shards:q}"
        " --seed {params.seed}"
        " --tasks {input.tasks}"
        " --out {params.out}"
        " 2>&1 | tee {log}"
