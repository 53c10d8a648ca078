"""Models on shares of the data: for each of `lm.data_shares`, a further model of every modality.

In: tokens/{modality}. Out: tokens/{modality}-data{percent}: train.bin holds the share of the utterances, everything
else links to the modality's tokens. The other stages treat such a model like a modality, and evaluation/schedules.csv
compares them. Without `lm.data_shares` this file defines no rule.
"""

# Token files that are those of the modality, in the same order.
SHARED_TOKENS = [
    "dev.bin",
    "dev.idx.npz",
    *expand("tasks/{task}.{form}", task=TASKS, form=["bin", "idx.npz"]),
]

if SHARE_MODELS:

    # Snakemake evaluates the rules of tokens.smk for these models too, before it prefers the rule below.
    MODALITY |= {name: MODALITY[model.modality] for name, model in SHARE_MODELS.items()}
    STREAMS_OF |= {name: STREAMS_OF[model.modality] for name, model in SHARE_MODELS.items()}
    INVENTORY_OF |= {name: INVENTORY_OF[model.modality] for name, model in SHARE_MODELS.items()}
    TABLES_OF |= {name: TABLES_OF[model.modality] for name, model in SHARE_MODELS.items()}

    ruleorder: shares_tokens > tokens_tokenizer
    ruleorder: shares_tokens > tokens_pack
    ruleorder: shares_tokens > tokens_encode_task

    rule shares_tokens:
        """Take a share of the training utterances; link the other tokens to those of the modality."""
        input:
            tokenizer=lambda wildcards: f"{TOKENS}/{SHARE_MODELS[wildcards.modality].modality}/tokenizer",
            train=lambda wildcards: f"{TOKENS}/{SHARE_MODELS[wildcards.modality].modality}/train.bin",
            train_index=lambda wildcards: f"{TOKENS}/{SHARE_MODELS[wildcards.modality].modality}/train.idx.npz",
            files=lambda wildcards: [
                f"{TOKENS}/{SHARE_MODELS[wildcards.modality].modality}/{name}" for name in SHARED_TOKENS
            ],
        output:
            tokenizer=directory(f"{TOKENS}/{{modality}}/tokenizer"),
            train=f"{TOKENS}/{{modality}}/train.bin",
            train_index=f"{TOKENS}/{{modality}}/train.idx.npz",
            files=[f"{TOKENS}/{{modality}}/{name}" for name in SHARED_TOKENS],
        log:
            f"{RESULTS}/logs/shares/tokens/{{modality}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/shares/tokens/{{modality}}.tsv"
        wildcard_constraints:
            modality="|".join(SHARE_MODELS),
        conda:
            "../../envs/core.yaml"
        params:
            code=code_of("scripts.lm.take_share"),
            share=lambda wildcards: SHARE_MODELS[wildcards.modality].share,
        shell:
            "(python -m scripts.lm.take_share"
            " --train {input.train}"
            " --share {params.share}"
            " --out {output.train}"
            " && cp -r {input.tokenizer} {output.tokenizer}"
            " && set -- {output.files}"
            " && for file in {input.files}; do ln -sfnr $file $1 && shift; done) 2>&1 | tee {log}"
