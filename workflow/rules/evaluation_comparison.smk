"""Comparison of the modalities: the common items, scores by group, and one table of all scores.

In: evaluation/{task}/{modality}.csv, evaluation/baselines/, evaluation/untrained.csv and evaluation/bits/.
Out: evaluation/dropped.csv, evaluation/groups.csv and evaluation/summary.csv.
"""

from scripts.evaluation.config import Resampling, Summarising


rule evaluation_dropped:
    """Items that at least one modality cannot score; they are excluded from all comparisons."""
    input:
        scores=OWN_SCORES,
    output:
        dropped=DROPPED,
    log:
        f"{RESULTS}/logs/evaluation/dropped.log",
    benchmark:
        f"{RESULTS}/benchmarks/evaluation/dropped.tsv"
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.evaluation.common_items"),
    shell:
        "python -m scripts.evaluation.common_items"
        " --scores {input.scores}"
        " --out {output.dropped}"
        " 2>&1 | tee {log}"


rule evaluation_groups:
    """Accuracy of every model by group of items."""
    input:
        scores=SCORES,
        dropped=DROPPED,
    output:
        groups=f"{RESULTS}/evaluation/groups.csv",
    log:
        f"{RESULTS}/logs/evaluation/groups.log",
    benchmark:
        f"{RESULTS}/benchmarks/evaluation/groups.tsv"
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.evaluation.groups"),
        config=part_json(config["evaluation"], Resampling),
        seed=config["seed"],
    shell:
        "python -m scripts.evaluation.groups"
        " --scores {input.scores}"
        " --dropped {input.dropped}"
        " --out {output.groups}"
        " --config {params.config:q}"
        " --seed {params.seed}"
        " 2>&1 | tee {log}"


rule evaluation_summary:
    """All scores with their intervals in one table."""
    input:
        scores=SCORES,
        dropped=DROPPED,
        baselines=expand(
            f"{RESULTS}/evaluation/baselines/{{task}}/{{modality}}.csv",
            modality=MODALITIES,
            task=TASKS,
        ),
        untrained=[f"{RESULTS}/evaluation/untrained.csv"] * bool(TASKS),
        bits=expand(f"{RESULTS}/evaluation/bits/{{modality}}.csv", modality=MODALITIES),
    output:
        summary=f"{RESULTS}/evaluation/summary.csv",
    log:
        f"{RESULTS}/logs/evaluation/summary.log",
    benchmark:
        f"{RESULTS}/benchmarks/evaluation/summary.tsv"
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.evaluation.summary"),
        config=part_json(config["evaluation"], Summarising),
        seed=config["seed"],
    shell:
        "python -m scripts.evaluation.summary"
        " --scores {input.scores}"
        " --baselines {input.baselines}"
        " --untrained {input.untrained}"
        " --bits {input.bits}"
        " --dropped {input.dropped}"
        " --out {output.summary}"
        " --config {params.config:q}"
        " --seed {params.seed}"
        " 2>&1 | tee {log}"
