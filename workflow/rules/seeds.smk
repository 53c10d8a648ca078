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
            files=lambda wildcards: [
                f"{TOKENS}/{SEED_REPLICAS[wildcards.modality].modality}/{name}" for name in REPLICA_TOKENS
            ],
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
