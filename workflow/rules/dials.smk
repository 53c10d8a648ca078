"""Causes taken apart: crossed factors, ladders of modalities, dials; no rule for what the configuration leaves empty.

In: evaluation/{task}/{modality}.csv and evaluation/utterance_bits/{modality}.csv, of seed replicas too;
evaluation/dropped.csv, evaluation/exposures.csv, tokens/{modality}/stats.json.
Out: evaluation/{crossing,ladder,dials}.csv.
"""

from scripts.evaluation.config import Summarising
from scripts.evaluation.dial_config import Crossing, Dial, Ladder, parse_designs

CROSSINGS = parse_designs(Crossing, as_json(config, "crossings"))
LADDERS = parse_designs(Ladder, as_json(config, "ladders"))
DIALS = parse_designs(Dial, as_json(config, "dials"))

if CROSSINGS:

    rule evaluation_crossing:
        """Factors added in more than one order: changes, interactions, Shapley values."""
        input:
            **scores_of(name for crossing in CROSSINGS for name in crossing.modalities),
        output:
            table=f"{RESULTS}/evaluation/crossing.csv",
        log:
            f"{RESULTS}/logs/evaluation/crossing.log",
        benchmark:
            f"{RESULTS}/benchmarks/evaluation/crossing.tsv"
        conda:
            "../../envs/core.yaml"
        params:
            code=code_of("scripts.evaluation.crossing"),
            evaluation=lambda wildcards, output: output.table.rsplit("/", 1)[0],
            tasks=TASKS,
            seeds=[config["seed"], *config["seeds"]],
            crossings=as_json(config, "crossings"),
            config=part_json(config["evaluation"], Summarising),
        shell:
            "python -m scripts.evaluation.crossing"
            " --evaluation {params.evaluation}"
            " --dropped {input.dropped}"
            " --tasks {params.tasks}"
            " --seeds {params.seeds}"
            " --crossings {params.crossings:q}"
            " --out {output.table}"
            " --config {params.config:q}"
            " 2>&1 | tee {log}"


if LADDERS:

    rule evaluation_ladder:
        """What each step of a ladder of modalities changes, and its share of the whole."""
        input:
            **scores_of(name for ladder in LADDERS for name in ladder.modalities),
        output:
            table=f"{RESULTS}/evaluation/ladder.csv",
        log:
            f"{RESULTS}/logs/evaluation/ladder.log",
        benchmark:
            f"{RESULTS}/benchmarks/evaluation/ladder.tsv"
        conda:
            "../../envs/core.yaml"
        params:
            code=code_of("scripts.evaluation.ladder"),
            evaluation=lambda wildcards, output: output.table.rsplit("/", 1)[0],
            tasks=TASKS,
            seeds=[config["seed"], *config["seeds"]],
            ladders=as_json(config, "ladders"),
            config=part_json(config["evaluation"], Summarising),
        shell:
            "python -m scripts.evaluation.ladder"
            " --evaluation {params.evaluation}"
            " --dropped {input.dropped}"
            " --tasks {params.tasks}"
            " --seeds {params.seeds}"
            " --ladders {params.ladders:q}"
            " --out {output.table}"
            " --config {params.config:q}"
            " 2>&1 | tee {log}"


if DIALS:

    rule evaluation_dials:
        """Accuracies, exposures needed and bits against the dose of one cause."""
        input:
            **scores_of(name for dial in DIALS for name in dial.modalities),
            exposures=[f"{RESULTS}/evaluation/exposures.csv"] * bool(TASKS),
            stats=expand(
                f"{TOKENS}/{{modality}}/stats.json",
                modality=dict.fromkeys(name for dial in DIALS for name in dial.modalities),
            ),
        output:
            table=f"{RESULTS}/evaluation/dials.csv",
        log:
            f"{RESULTS}/logs/evaluation/dials.log",
        benchmark:
            f"{RESULTS}/benchmarks/evaluation/dials.tsv"
        conda:
            "../../envs/core.yaml"
        params:
            code=code_of("scripts.evaluation.dials"),
            evaluation=lambda wildcards, output: output.table.rsplit("/", 1)[0],
            tokens=lambda wildcards, input: input.stats[0].rsplit("/", 2)[0],
            tasks=TASKS,
            seeds=[config["seed"], *config["seeds"]],
            dials=as_json(config, "dials"),
            config=part_json(config["evaluation"], Summarising),
        shell:
            "python -m scripts.evaluation.dials"
            " --evaluation {params.evaluation}"
            " --tokens {params.tokens}"
            " --exposures {input.exposures}"
            " --dropped {input.dropped}"
            " --tasks {params.tasks}"
            " --seeds {params.seeds}"
            " --dials {params.dials:q}"
            " --out {output.table}"
            " --config {params.config:q}"
            " 2>&1 | tee {log}"
