"""Further training seeds: for each of `seeds`, a twin of every modality with the same tokens and another model.

In: tokens/{modality}. Out: tokens/{modality}-seed{n}, links to the modality's own; the other stages treat a twin as
they treat a modality, and report/tables/seeds.* puts them together. Without `seeds` no rule here is asked for.
"""

# A twin's tokens, file by file, in the order of the modality's own.
TWIN_TOKENS = [
    "train.bin",
    "train.idx.npz",
    "dev.bin",
    "dev.idx.npz",
    "stats.json",
    *expand("tasks/{task}.{form}", task=TASKS, form=["bin", "idx.npz"]),
]

if TWINS:

    # Snakemake asks the rules of tokens.smk too, before it prefers the one below.
    MODALITY |= {name: MODALITY[twin.modality] for name, twin in TWINS.items()}
    STREAMS_OF |= {name: STREAMS_OF[twin.modality] for name, twin in TWINS.items()}
    INVENTORY_OF |= {name: INVENTORY_OF[twin.modality] for name, twin in TWINS.items()}

    ruleorder: seeds_tokens > tokens_tokenizer
    ruleorder: seeds_tokens > tokens_pack
    ruleorder: seeds_tokens > tokens_encode_task
    ruleorder: seeds_tokens > tokens_stats

    rule seeds_tokens:
        """A twin reads the tokens of its modality: links, no copies."""
        input:
            tokenizer=lambda wildcards: f"{TOKENS}/{TWINS[wildcards.modality].modality}/tokenizer",
            files=lambda wildcards: [f"{TOKENS}/{TWINS[wildcards.modality].modality}/{name}" for name in TWIN_TOKENS],
        output:
            tokenizer=directory(f"{TOKENS}/{{modality}}/tokenizer"),
            files=[f"{TOKENS}/{{modality}}/{name}" for name in TWIN_TOKENS],
        log:
            f"{RESULTS}/logs/seeds/tokens/{{modality}}.log",
        wildcard_constraints:
            modality="|".join(TWINS),
        localrule: True
        conda:
            "../../envs/core.yaml"
        shell:
            "(cp -r {input.tokenizer} {output.tokenizer}"
            " && set -- {output.files}"
            " && for file in {input.files}; do ln -sfnr $file $1 && shift; done) 2> {log}"
