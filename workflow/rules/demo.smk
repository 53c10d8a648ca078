"""The demo: what the modalities without a clock (text and phones) show, before any unit is computed.

In: evaluation/{task}/{modality}.csv and evaluation/baselines/ of those modalities, as every run of this configuration
makes them. Out: demo/index.html, with demo/exposures.csv and demo/tables/factors.* behind it. `snakemake report` goes on from
the corpus, alignments, tokens, models and scores that the demo has made; its own tables compare all modalities.
"""

DEMO = [name for name in MODALITIES if not DEFINITION[name].clocked]
DEMO_FACTORS = as_json({"factors": [line for line in config["factors"] if {line["from"], line["to"]} <= {*DEMO}]})
DEMO_SCORES = expand(f"{RESULTS}/evaluation/{{task}}/{{modality}}.csv", task=TASKS, modality=DEMO)

if TASKS and json.loads(DEMO_FACTORS)["factors"]:

    use rule evaluation_dropped as demo_dropped with:
        input:
            scores=DEMO_SCORES,
        output:
            dropped=f"{RESULTS}/demo/dropped.csv",
        log:
            f"{RESULTS}/logs/demo/dropped.log",
        benchmark:
            f"{RESULTS}/benchmarks/demo/dropped.tsv"

    use rule evaluation_exposures as demo_exposures with:
        input:
            scores=DEMO_SCORES,
            baselines=expand(f"{RESULTS}/evaluation/baselines/{{task}}/{{modality}}.csv", task=TASKS, modality=DEMO),
            dropped=f"{RESULTS}/demo/dropped.csv",
        output:
            exposures=f"{RESULTS}/demo/exposures.csv",
        log:
            f"{RESULTS}/logs/demo/exposures.log",
        benchmark:
            f"{RESULTS}/benchmarks/demo/exposures.tsv"
        params:
            code=code_of("scripts.evaluation.exposures"),
            evaluation=lambda wildcards, input: input.scores[0].rsplit("/", 2)[0],
            modalities=DEMO,
            tasks=TASKS,
            factors=DEMO_FACTORS,
            config=part_json(config["evaluation"], Summarising),
            seed=config["seed"],

    rule demo_factors:
        """What the factors between these modalities cost: the report's table of factors, for fewer of them."""
        input:
            scores=DEMO_SCORES,
            dropped=f"{RESULTS}/demo/dropped.csv",
            paper=PAPER,
        output:
            multiext(f"{RESULTS}/demo/tables/factors", ".csv", ".md", ".tex", ".html"),
        log:
            f"{RESULTS}/logs/demo/factors.log",
        benchmark:
            f"{RESULTS}/benchmarks/demo/factors.tsv"
        conda:
            "../../envs/core.yaml"
        params:
            code=code_of("scripts.report.table_factors"),
            evaluation=lambda wildcards, input: input.scores[0].rsplit("/", 2)[0],
            factors=DEMO_FACTORS,
            tasks=TASKS,
            samples=config["evaluation"]["bootstrap_samples"],
            seed=config["seed"],
            normalization=config["evaluation"]["score_normalization"],
            folder=lambda wildcards, output: output[0].rsplit("/", 1)[0],
        shell:
            "python -m scripts.report.table_factors"
            " --evaluation {params.evaluation}"
            " --dropped {input.dropped}"
            " --config {params.factors:q}"
            " --tasks {params.tasks}"
            " --samples {params.samples}"
            " --seed {params.seed}"
            " --score-normalization {params.normalization}"
            " --paper {input.paper:q}"
            " --output {params.folder}"
            " 2>&1 | tee {log}"

    rule demo_page:
        """A page with what these factors cost, and the exposures of a word that each modality needs."""
        input:
            factors=f"{RESULTS}/demo/tables/factors.csv",
            exposures=f"{RESULTS}/demo/exposures.csv",
            dropped=f"{RESULTS}/demo/dropped.csv",
            paper=PAPER,
        output:
            page=f"{RESULTS}/demo/index.html",
        log:
            f"{RESULTS}/logs/demo/page.log",
        benchmark:
            f"{RESULTS}/benchmarks/demo/page.tsv"
        conda:
            "../../envs/core.yaml"
        params:
            code=code_of("scripts.report.demo_page"),
            modalities=DEMO,
            seed=config["seed"],
        shell:
            "python -m scripts.report.demo_page"
            " --factors {input.factors}"
            " --exposures {input.exposures}"
            " --dropped {input.dropped}"
            " --modalities {params.modalities}"
            " --seed {params.seed}"
            " --paper {input.paper:q}"
            " --output {output.page}"
            " 2>&1 | tee {log}"

    rule demo:
        """The demo's page."""
        input:
            rules.demo_page.output.page,
        localrule: True
