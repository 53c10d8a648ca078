"""Further training seeds: for each of `seeds`, a seed replica of every modality: the same tokens, another model.

In: tokens/{modality}. Out: tokens/{modality}-seed{n}, links to the modality's own; the other stages treat a
replica as they treat a modality, and report/tables/seeds.* puts them together. Without `seeds` no rule here is asked for.
"""

# A replica's tokens, file by file, in the order of the modality's own.
REPLICA_TOKENS = [
    "train.bin",
    "train.idx.npz",
    "dev.bin",
    "dev.idx.npz",
    "stats.json",
    *expand("tasks/{task}.{form}", task=TASKS, form=["bin", "idx.npz"]),
]

if SEED_REPLICAS:

    # Snakemake asks the rules of tokens.smk too, before it prefers the one below.
    MODALITY |= {name: MODALITY[replica.modality] for name, replica in SEED_REPLICAS.items()}
    STREAMS_OF |= {name: STREAMS_OF[replica.modality] for name, replica in SEED_REPLICAS.items()}
    INVENTORY_OF |= {name: INVENTORY_OF[replica.modality] for name, replica in SEED_REPLICAS.items()}

    ruleorder: seeds_tokens > tokens_tokenizer
    ruleorder: seeds_tokens > tokens_pack
    ruleorder: seeds_tokens > tokens_encode_task
    ruleorder: seeds_tokens > tokens_stats

    rule seeds_tokens:
        """A replica reads the tokens of its modality: links, no copies."""
        input:
            tokenizer=lambda wildcards: f"{TOKENS}/{SEED_REPLICAS[wildcards.modality].modality}/tokenizer",
            files=lambda wildcards: [f"{TOKENS}/{SEED_REPLICAS[wildcards.modality].modality}/{name}" for name in REPLICA_TOKENS],
        output:
            tokenizer=directory(f"{TOKENS}/{{modality}}/tokenizer"),
            files=[f"{TOKENS}/{{modality}}/{name}" for name in REPLICA_TOKENS],
        log:
            f"{RESULTS}/logs/seeds/tokens/{{modality}}.log",
        wildcard_constraints:
            modality="|".join(SEED_REPLICAS),
        localrule: True
        conda:
            "../../envs/core.yaml"
        shell:
            "(cp -r {input.tokenizer} {output.tokenizer}"
            " && set -- {output.files}"
            " && for file in {input.files}; do ln -sfnr $file $1 && shift; done) 2> {log}"


rule report_table_seeds:
    """Mean, spread and interval over training seeds of every score and of every factor's change."""
    input:
        scores=expand(
            f"{RESULTS}/evaluation/{{task}}/{{modality}}.csv",
            task=TASKS,
            modality=[*MODALITIES, *SEED_REPLICAS],
        ),
        dropped=DROPPED,
    output:
        multiext(f"{RESULTS}/report/tables/seeds", ".csv", ".md", ".tex"),
        page=report(
            f"{RESULTS}/report/tables/seeds.html",
            category="2. Tables",
            labels={"table": "Over training seeds", "in the paper": "not there"},
            caption="../report/seeds.rst",
        ),
    log:
        f"{RESULTS}/logs/report/table_seeds.log",
    benchmark:
        f"{RESULTS}/benchmarks/report/table_seeds.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=code_of("scripts.report.table_seeds"),
        evaluation=lambda wildcards, input: input.scores[0].rsplit("/", 2)[0],
        modalities=MODALITIES,
        tasks=TASKS,
        config=as_json(config, "factors"),
        seeds=[config["seed"], *config["seeds"]],
        samples=config["evaluation"]["bootstrap_samples"],
        folder=lambda wildcards, output: output.page.rsplit("/", 1)[0],
    shell:
        "python -m scripts.report.table_seeds"
        " --evaluation {params.evaluation}"
        " --dropped {input.dropped}"
        " --modalities {params.modalities}"
        " --tasks {params.tasks}"
        " --config {params.config:q}"
        " --seeds {params.seeds}"
        " --samples {params.samples}"
        " --output {params.folder}"
        " 2>&1 | tee {log}"
