"""Evaluation of the models: accuracies with baselines and intervals, bits, layers and scaling.

In: alignment/tasks, alignment/cuts/dev, units/dev, tokens/{modality} and lm/{modality}.
Out: evaluation/{task}/{modality}.csv, evaluation/{baselines,layers,tuned_lens,scaling}/{task}/{modality}.csv,
evaluation/{bits,bit_breakdown}/{modality}.csv and evaluation/{controls,untrained}.csv; comparisons of modalities are in
evaluation_comparison.smk.

One job covers all tasks of a modality, since importing torch takes longer than scoring a small task.
"""

from scripts.evaluation.config import Controls, Decision, LayerScoring, Scaling, TextScoring
from scripts.evaluation.text_items import text_item_files

TEXT_TASKS = config["evaluation"]["text_tasks"]
# Scores of our models, text tasks included, and scores of external systems on the tasks that they provide.
OWN_SCORES = expand(f"{RESULTS}/evaluation/{{task}}/{{modality}}.csv", modality=MODALITIES, task=TASKS) + [
    f"{RESULTS}/evaluation/{task}/{modality}.csv"
    for modality in MODALITIES
    for task in TEXT_TASKS
    if SOURCE[modality] == "text"
]
SCORES = OWN_SCORES + [
    f"{RESULTS}/evaluation/{task}/{system}.csv"
    for system, files in config["evaluation"]["external_systems"].items()
    for task in files
]
DROPPED = f"{RESULTS}/evaluation/dropped.csv"
SYSTEMS = [*MODALITIES, *config["evaluation"]["external_systems"]]
# The items of every task and their tokens in one modality.
TASK_INPUT = dict(
    pairs=expand(f"{ALIGNMENT}/tasks/{{task}}.jsonl.gz", task=TASKS),
    tokens=expand(f"{TOKENS}/{{modality}}/tasks/{{task}}.bin", task=TASKS, allow_missing=True),
    token_index=expand(f"{TOKENS}/{{modality}}/tasks/{{task}}.idx.npz", task=TASKS, allow_missing=True),
)


include: "evaluation_exchange.smk"
include: "evaluation_comparison.smk"


if TASKS:

    include: "evaluation_curves.smk"


rule evaluation_score:
    """Score all tasks with a trained model and with its layers, and the bits of dev."""
    input:
        **TASK_INPUT,
        cuts=expand(f"{ALIGNMENT}/cuts/dev/{{shard}}.jsonl.gz", shard=SHARDS["dev"]),
        streams=lambda w: expand(
            "{folder}/dev/{shard}.npz",
            folder=STREAMS_OF[w.modality],
            shard=SHARDS["dev"],
        ),
        tables=lambda w: TABLES_OF[w.modality],
        tokenizer=f"{TOKENS}/{{modality}}/tokenizer",
        train=f"{TOKENS}/{{modality}}/train.bin",
        train_index=f"{TOKENS}/{{modality}}/train.idx.npz",
        dev=f"{TOKENS}/{{modality}}/dev.bin",
        dev_index=f"{TOKENS}/{{modality}}/dev.idx.npz",
        model=f"{RESULTS}/lm/{{modality}}/model",
    output:
        scores=expand(
            f"{RESULTS}/evaluation/{{task}}/{{modality}}.csv",
            task=TASKS,
            allow_missing=True,
        ),
        layers=expand(
            f"{RESULTS}/evaluation/layers/{{task}}/{{modality}}.csv",
            task=TASKS,
            allow_missing=True,
        ),
        tuned_lens=expand(
            f"{RESULTS}/evaluation/tuned_lens/{{task}}/{{modality}}.csv",
            task=TASKS,
            allow_missing=True,
        ),
        bits=f"{RESULTS}/evaluation/bits/{{modality}}.csv",
        bit_breakdown=f"{RESULTS}/evaluation/bit_breakdown/{{modality}}.csv",
    log:
        f"{RESULTS}/logs/evaluation/score/{{modality}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/evaluation/score/{{modality}}.tsv"
    conda:
        environment("evaluation")
    resources:
        gpu=config["cluster"]["gpus"]["evaluation"],
    params:
        code=code_of("scripts.evaluation.score"),
        tasks=TASKS,
        definition=lambda w: MODALITY[w.modality],
        config=part_json(config["evaluation"], LayerScoring),
        seed=config["seed"],
    shell:
        "python -m scripts.evaluation.score"
        " --modality {wildcards.modality}"
        " --definition {params.definition:q}"
        " --model {input.model}"
        " --tasks {params.tasks}"
        " --items {input.pairs}"
        " --tokens {input.tokens}"
        " --out {output.scores}"
        " --layers {output.layers}"
        " --tuned-lens {output.tuned_lens}"
        " --cuts {input.cuts}"
        " --streams {input.streams}"
        " --tables {input.tables}"
        " --tokenizer {input.tokenizer}"
        " --train {input.train}"
        " --dev {input.dev}"
        " --bits {output.bits}"
        " --bit-breakdown {output.bit_breakdown}"
        " --config {params.config:q}"
        " --seed {params.seed}"
        " 2>&1 | tee {log}"


if TASKS:

    rule evaluation_baselines:
        """Baselines of the same pairs: length, number of tokens, unigrams and 4-grams."""
        input:
            **TASK_INPUT,
            train=f"{TOKENS}/{{modality}}/train.bin",
            train_index=f"{TOKENS}/{{modality}}/train.idx.npz",
            stats=f"{TOKENS}/{{modality}}/stats.json",
        output:
            scores=expand(
                f"{RESULTS}/evaluation/baselines/{{task}}/{{modality}}.csv",
                task=TASKS,
                allow_missing=True,
            ),
        log:
            f"{RESULTS}/logs/evaluation/baselines/{{modality}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/evaluation/baselines/{{modality}}.tsv"
        conda:
            "../../envs/core.yaml"
        params:
            code=code_of("scripts.evaluation.baselines"),
            tasks=TASKS,
            config=part_json(config["evaluation"], Decision),
            seed=config["seed"],
        shell:
            "python -m scripts.evaluation.baselines"
            " --modality {wildcards.modality}"
            " --train {input.train}"
            " --stats {input.stats}"
            " --tasks {params.tasks}"
            " --items {input.pairs}"
            " --tokens {input.tokens}"
            " --out {output.scores}"
            " --config {params.config:q}"
            " --seed {params.seed}"
            " 2>&1 | tee {log}"

    rule evaluation_scaling:
        """Accuracy of every checkpoint within epoch 1, and a straight line over log10 of tokens."""
        input:
            **TASK_INPUT,
            stats=f"{TOKENS}/{{modality}}/stats.json",
            checkpoints=f"{RESULTS}/lm/{{modality}}/scaling",
        output:
            scaling=expand(
                f"{RESULTS}/evaluation/scaling/{{task}}/{{modality}}.csv",
                task=TASKS,
                allow_missing=True,
            ),
            fits=expand(
                f"{RESULTS}/evaluation/scaling/{{task}}/{{modality}}.fit.json",
                task=TASKS,
                allow_missing=True,
            ),
        log:
            f"{RESULTS}/logs/evaluation/scaling/{{modality}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/evaluation/scaling/{{modality}}.tsv"
        conda:
            environment("evaluation")
        resources:
            gpu=config["cluster"]["gpus"]["evaluation"],
        params:
            code=code_of("scripts.evaluation.scaling"),
            tasks=TASKS,
            config=part_json(config["evaluation"], Scaling),
            seed=config["seed"],
        shell:
            "python -m scripts.evaluation.scaling"
            " --modality {wildcards.modality}"
            " --checkpoints {input.checkpoints}"
            " --stats {input.stats}"
            " --tasks {params.tasks}"
            " --items {input.pairs}"
            " --tokens {input.tokens}"
            " --out {output.scaling}"
            " --fits {output.fits}"
            " --config {params.config:q}"
            " --seed {params.seed}"
            " 2>&1 | tee {log}"

    rule evaluation_controls:
        """Controls: untrained models and shuffled durations on a part of every task, in one job."""
        input:
            pairs=expand(f"{ALIGNMENT}/tasks/{{task}}.jsonl.gz", task=TASKS),
            tokens=expand(
                f"{TOKENS}/{{modality}}/tasks/{{task}}.{{form}}",
                modality=MODALITIES,
                task=TASKS,
                form=["bin", "idx.npz"],
            ),
            models=expand(f"{RESULTS}/lm/{{modality}}/model", modality=MODALITIES),
            scores=expand(
                f"{RESULTS}/evaluation/{{task}}/{{modality}}.csv",
                task=TASKS,
                modality=MODALITIES,
            ),
            dropped=DROPPED,
        output:
            controls=f"{RESULTS}/evaluation/controls.csv",
            untrained=f"{RESULTS}/evaluation/untrained.csv",
        log:
            f"{RESULTS}/logs/evaluation/controls.log",
        benchmark:
            f"{RESULTS}/benchmarks/evaluation/controls.tsv"
        conda:
            environment("evaluation")
        resources:
            gpu=config["cluster"]["gpus"]["evaluation"],
        params:
            code=code_of("scripts.evaluation.controls"),
            results=lambda wildcards, input: input.scores[0].rsplit("/", 3)[0],
            tokens=lambda wildcards, input: input.tokens[0].rsplit("/", 3)[0],
            modalities=as_json(config["modalities"]),
            tasks=TASKS,
            config=part_json(config["evaluation"], Controls),
            seed=config["seed"],
        shell:
            "python -m scripts.evaluation.controls"
            " --results {params.results}"
            " --tokens {params.tokens}"
            " --modalities {params.modalities:q}"
            " --tasks {params.tasks}"
            " --items {input.pairs}"
            " --dropped {input.dropped}"
            " --out {output.controls}"
            " --untrained {output.untrained}"
            " --config {params.config:q}"
            " --seed {params.seed}"
            " 2>&1 | tee {log}"


if TEXT_TASKS:

    rule evaluation_text:
        """Score a text task with a text modality."""
        input:
            choices=lambda wildcards: text_item_files(TEXT_TASKS[wildcards.task]),
            tokenizer=f"{TOKENS}/{{modality}}/tokenizer",
            model=f"{RESULTS}/lm/{{modality}}/model",
        output:
            scores=f"{RESULTS}/evaluation/{{task}}/{{modality}}.csv",
        log:
            f"{RESULTS}/logs/evaluation/text/{{task}}/{{modality}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/evaluation/text/{{task}}/{{modality}}.tsv"
        wildcard_constraints:
            task="|".join(TEXT_TASKS),
        conda:
            environment("evaluation")
        resources:
            gpu=config["cluster"]["gpus"]["evaluation"],
        params:
            code=code_of("scripts.evaluation.text_tasks"),
            choices=lambda wildcards: TEXT_TASKS[wildcards.task],
            definition=lambda wildcards: MODALITY[wildcards.modality],
            config=part_json(config["evaluation"], TextScoring),
        shell:
            "python -m scripts.evaluation.text_tasks"
            " --modality {wildcards.modality}"
            " --definition {params.definition:q}"
            " --task {wildcards.task}"
            " --model {input.model}"
            " --tokenizer {input.tokenizer}"
            " --items {params.choices:q}"
            " --out {output.scores}"
            " --config {params.config:q}"
            " 2>&1 | tee {log}"
