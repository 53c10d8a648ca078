"""Curves over exposures, over distance and over data; included by evaluation.smk, whose names it uses.

In: evaluation/{task}/{modality}.csv, evaluation/baselines/, tokens/{modality}/stats.json.
Out: evaluation/exposures.csv, evaluation/reach.csv and evaluation/schedules.csv.
"""

# The models with complete schedules of each modality, by their share of the data.
SCHEDULES = {
    modality: {modality: 1.0}
    | {name: model.share for name, model in SHARE_MODELS.items() if model.modality == modality}
    for modality in MODALITIES
}


rule evaluation_exposures:
    """Accuracy by exposures of a word, and the exposures that each modality needs for 75%."""
    input:
        scores=expand(f"{RESULTS}/evaluation/{{task}}/{{modality}}.csv", task=TASKS, modality=MODALITIES),
        baselines=expand(f"{RESULTS}/evaluation/baselines/{{task}}/{{modality}}.csv", task=TASKS, modality=MODALITIES),
        dropped=DROPPED,
    output:
        exposures=f"{RESULTS}/evaluation/exposures.csv",
    log:
        f"{RESULTS}/logs/evaluation/exposures.log",
    benchmark:
        f"{RESULTS}/benchmarks/evaluation/exposures.tsv"
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.evaluation.exposures"),
        evaluation=lambda wildcards, output: output.exposures.rsplit("/", 1)[0],
        modalities=MODALITIES,
        tasks=TASKS,
        factors=as_json(config, "factors"),
        config=part_json(config["evaluation"], Summarising),
        seed=config["seed"],
    shell:
        "python -m scripts.evaluation.exposures"
        " --evaluation {params.evaluation}"
        " --modalities {params.modalities}"
        " --tasks {params.tasks}"
        " --factors {params.factors:q}"
        " --dropped {input.dropped}"
        " --out {output.exposures}"
        " --config {params.config:q}"
        " --seed {params.seed}"
        " 2>&1 | tee {log}"


rule evaluation_reach:
    """Accuracy by the distance between two words, and how far back each modality still sees."""
    input:
        scores=expand(f"{RESULTS}/evaluation/{{task}}/{{modality}}.csv", task=TASKS, modality=MODALITIES),
        dropped=DROPPED,
    output:
        reach=f"{RESULTS}/evaluation/reach.csv",
    log:
        f"{RESULTS}/logs/evaluation/reach.log",
    benchmark:
        f"{RESULTS}/benchmarks/evaluation/reach.tsv"
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.evaluation.reach"),
        evaluation=lambda wildcards, output: output.reach.rsplit("/", 1)[0],
        modalities=MODALITIES,
        tasks=TASKS,
        config=part_json(config["evaluation"], Summarising),
        seed=config["seed"],
    shell:
        "python -m scripts.evaluation.reach"
        " --evaluation {params.evaluation}"
        " --modalities {params.modalities}"
        " --tasks {params.tasks}"
        " --dropped {input.dropped}"
        " --out {output.reach}"
        " --config {params.config:q}"
        " --seed {params.seed}"
        " 2>&1 | tee {log}"


rule evaluation_schedules:
    """Accuracy of the models with complete schedules by the amount of their data."""
    input:
        scores=expand(
            f"{RESULTS}/evaluation/{{task}}/{{model}}.csv",
            task=TASKS,
            model=[*MODALITIES, *SHARE_MODELS],
        ),
        stats=expand(f"{TOKENS}/{{model}}/stats.json", model=[*MODALITIES, *SHARE_MODELS]),
        dropped=DROPPED,
    output:
        schedules=f"{RESULTS}/evaluation/schedules.csv",
    log:
        f"{RESULTS}/logs/evaluation/schedules.log",
    benchmark:
        f"{RESULTS}/benchmarks/evaluation/schedules.tsv"
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.evaluation.schedules"),
        evaluation=lambda wildcards, output: output.schedules.rsplit("/", 1)[0],
        tokens=lambda wildcards, input: input.stats[0].rsplit("/", 2)[0],
        models=as_json(SCHEDULES),
        tasks=TASKS,
        config=part_json(config["evaluation"], Resampling),
        seed=config["seed"],
    shell:
        "python -m scripts.evaluation.schedules"
        " --evaluation {params.evaluation}"
        " --tokens {params.tokens}"
        " --models {params.models:q}"
        " --tasks {params.tasks}"
        " --dropped {input.dropped}"
        " --out {output.schedules}"
        " --config {params.config:q}"
        " --seed {params.seed}"
        " 2>&1 | tee {log}"
