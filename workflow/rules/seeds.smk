"""Seed replicas: for each of `seeds`, a further model of every modality, trained on the same tokens.

In: tokens/{modality}. Out: tokens/{modality}-seed{n}, links to the modality's tokens. The other stages treat a replica
like a modality, and report/tables/seeds.* compares them. Without `seeds` this file defines no rule.
"""

# Token files of a replica, in the same order as those of its modality.
REPLICA_TOKENS = [
    "train.bin",
    "train.idx.npz",
    "dev.bin",
    "dev.idx.npz",
    "stats.json",
    *expand("tasks/{task}.{form}", task=TASKS, form=["bin", "idx.npz"]),
]

if SEED_REPLICAS:

    # Snakemake evaluates the rules of tokens.smk for replicas too, before it prefers the rule below.
    DEFINITION |= {name: DEFINITION[replica.modality] for name, replica in SEED_REPLICAS.items()}
    TABLES_OF |= {name: TABLES_OF[replica.modality] for name, replica in SEED_REPLICAS.items()}
    MODALITY |= {name: MODALITY[replica.modality] for name, replica in SEED_REPLICAS.items()}
    STREAMS_OF |= {name: STREAMS_OF[replica.modality] for name, replica in SEED_REPLICAS.items()}
    INVENTORY_OF |= {name: INVENTORY_OF[replica.modality] for name, replica in SEED_REPLICAS.items()}

    ruleorder: seeds_tokens > tokens_tokenizer
    ruleorder: seeds_tokens > tokens_pack
    ruleorder: seeds_tokens > tokens_encode_task
    ruleorder: seeds_tokens > tokens_stats

    rule seeds_tokens:
        """Link the tokens of a replica to those of its modality."""
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
