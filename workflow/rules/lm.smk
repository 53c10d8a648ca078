"""One language model per modality, the same but for the vocabulary.

In: tokens/{modality}/tokenizer, train.bin and dev.bin; with `init` also the model that the training starts from.
Out: lm/{modality}/model (loads with AutoModelForCausalLM and AutoTokenizer), log.csv, and scaling/, the
models kept inside the first epoch. Training states gather under lm/{modality}/checkpoints, which no
rule declares: a job that is killed and started again goes on from there.
"""

from scripts.lm.config import LMConfig

# One process per GPU, started inside the job. A resource, not a parameter: how many share the work is no reason to
# train anew.
LM_PROCESSES = max(1, config["cluster"]["gpus"]["lm"])


rule lm_train:
    """Train a Llama from scratch on one modality's tokens, with one process or with one per GPU."""
    input:
        train=f"{TOKENS}/{{modality}}/train.bin",
        train_index=f"{TOKENS}/{{modality}}/train.idx.npz",
        dev=f"{TOKENS}/{{modality}}/dev.bin",
        dev_index=f"{TOKENS}/{{modality}}/dev.idx.npz",
        tokenizer=f"{TOKENS}/{{modality}}/tokenizer",
        start=start_files,
    output:
        model=directory(f"{RESULTS}/lm/{{modality}}/model"),
        scaling=directory(f"{RESULTS}/lm/{{modality}}/scaling"),
        log=f"{RESULTS}/lm/{{modality}}/log.csv",
    log:
        f"{RESULTS}/logs/lm/train/{{modality}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/lm/train/{{modality}}.tsv"
    priority: 1  # before the evaluation of models that are done
    conda:
        environment("lm")
    # What a scheduler reserves; no process computes with more threads than lm.training.threads.
    threads: config["lm"]["training"]["threads"] * LM_PROCESSES
    resources:
        gpu=config["cluster"]["gpus"]["lm"],
        processes=LM_PROCESSES,
    params:
        code=code_of("scripts.lm.train"),
        config=part_json(config["lm"], LMConfig),
        seed=training_seed,
        init=lambda wildcards: [f"--init={folder}" for folder in start_folder(wildcards)],
        out=subpath(output.model, parent=True),
        events=f"{RESULTS}/logs/lm/events/{{modality}}",
    shell:
        f"{OWN_STEP}"
        "python -m scripts.lm.train"
        " --train {input.train}"
        " --dev {input.dev}"
        " --tokenizer {input.tokenizer}"
        " --config {params.config:q}"
        " --seed {params.seed}"
        " --name {wildcards.modality}"
        " {params.init:q}"
        " --out {params.out}"
        " --events {params.events}"
        " --processes {resources.processes}"
        " 2>&1 | tee {log}"
