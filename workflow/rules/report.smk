"""report: the paper's tables and figures, its published values beside ours, and a first page.

In: tokens/{modality}/stats.json, lm/{modality}/log.csv, units/quality.csv, evaluation/summary.csv and,
for every task, evaluation/{task}/, evaluation/{layers,tuned,scaling}/{task}/; evaluation/spent/; dropped.csv of
corpus and alignment; resources/paper.yaml.
Out: report/tables/*.{csv,md,tex,html}, report/figures/* in every format of `report.formats` with the drawn
data as csv, report/summary.html. What is marked `report(...)` goes into `snakemake --report`.

Without tasks (`TASKS` is empty) nothing that needs one is asked for; the rules stay.
"""

PAPER = "resources/paper.yaml"
LEXICAL_TASK = "swuggy"  # the task about words, shown layer by layer
FORMATS = config["report"]["formats"]  # the first one stands in the report
WITH_FACTORS = bool(TASKS) and bool(config["factors"])

REPORT_TABLES = (
    ["modalities", "results", "spent", "dropped"]
    + ["groups", "controls"] * bool(TASKS)
    + ["seeds"] * bool(TASKS and config["seeds"])
    + ["factors", "decisions"] * WITH_FACTORS
    + ["continuation"] * WITH_CONTINUATION
)
REPORT_FIGURES = (
    ["training", "unit_quality", "spent"]
    + ["scaling", "layers_by_task"] * bool(TASKS)
    + ["layers_lexical"] * (LEXICAL_TASK in TASKS)
    + ["factors"] * WITH_FACTORS
)


include: "report_figures.smk"
include: "report_checks.smk"


rule tables:
    """The paper's tables from this run, its values beside ours, and the first page that explains them."""
    input:
        f"{RESULTS}/report/summary.html",
        expand(f"{RESULTS}/report/tables/{{table}}.{{form}}", table=REPORT_TABLES, form=["csv", "md", "tex", "html"]),
    localrule: True


rule figures:
    """The paper's figures from this run and three more, with the drawn numbers as csv."""
    input:
        expand(f"{RESULTS}/report/figures/{{figure}}.{{form}}", figure=REPORT_FIGURES, form=[*FORMATS, "csv"]),
    localrule: True


rule report_table_modalities:
    """The paper's Table 2: vocabulary, tokens and tokens per second of each modality."""
    input:
        stats=expand(f"{TOKENS}/{{modality}}/stats.json", modality=MODALITIES),
        paper=PAPER,
    output:
        multiext(f"{RESULTS}/report/tables/modalities", ".csv", ".md", ".tex"),
        page=report(
            f"{RESULTS}/report/tables/modalities.html",
            category="2. Tables",
            labels={"table": "Modalities", "in the paper": "Table 2"},
            caption="../report/modalities.rst",
        ),
    log:
        f"{RESULTS}/logs/report/table_modalities.log",
    benchmark:
        f"{RESULTS}/benchmarks/report/table_modalities.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        code=code_of("scripts.report.table_modalities"),
        tokens=lambda wildcards, input: input.stats[0].rsplit("/", 2)[0],
        modalities=MODALITIES,
        config=as_json(config, "factors"),
        folder=lambda wildcards, output: output.page.rsplit("/", 1)[0],
    shell:
        "python -m scripts.report.table_modalities"
        " --tokens {params.tokens}"
        " --modalities {params.modalities}"
        " --config {params.config:q}"
        " --paper {input.paper}"
        " --output {params.folder}"
        " 2>&1 | tee {log}"


rule report_table_results:
    """The paper's Table 4: scores with intervals and baselines, bits per second and per word."""
    input:
        summary=f"{RESULTS}/evaluation/summary.csv",
        continuation=[f"{RESULTS}/continuation/summary.csv"] * WITH_CONTINUATION,
        paper=PAPER,
    output:
        multiext(f"{RESULTS}/report/tables/results", ".csv", ".md", ".tex"),
        page=report(
            f"{RESULTS}/report/tables/results.html",
            category="2. Tables",
            labels={"table": "Results", "in the paper": "Table 4"},
            caption="../report/results.rst",
        ),
    log:
        f"{RESULTS}/logs/report/table_results.log",
    benchmark:
        f"{RESULTS}/benchmarks/report/table_results.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        code=code_of("scripts.report.table_results"),
        modalities=SYSTEMS,
        tasks=TASKS,
        text_tasks=list(TEXT_TASKS),
        foreign=list(config["evaluation"]["foreign"]),
        decide_by=config["evaluation"]["decide_by"],
        folder=lambda wildcards, output: output.page.rsplit("/", 1)[0],
    shell:
        "python -m scripts.report.table_results"
        " --summary {input.summary}"
        " --modalities {params.modalities}"
        " --foreign {params.foreign}"
        " --tasks {params.tasks}"
        " --text-tasks {params.text_tasks}"
        " --continuation {input.continuation}"
        " --decide-by {params.decide_by}"
        " --paper {input.paper}"
        " --output {params.folder}"
        " 2>&1 | tee {log}"


rule report_table_factors:
    """The paper's Table 3: what each factor changes, with paired bootstrap intervals."""
    input:
        scores=expand(
            f"{RESULTS}/evaluation/{{task}}/{{modality}}.csv",
            task=TASKS,
            modality=MODALITIES,
        ),
        dropped=DROPPED,
        continuations=expand(
            f"{RESULTS}/continuation/judged/generated/{{modality}}.csv",
            modality=CONTINUED * WITH_CONTINUATION,
        ),
        paper=PAPER,
    output:
        multiext(f"{RESULTS}/report/tables/factors", ".csv", ".md", ".tex"),
        page=report(
            f"{RESULTS}/report/tables/factors.html",
            category="2. Tables",
            labels={"table": "Factors", "in the paper": "Table 3"},
            caption="../report/factors.rst",
        ),
    log:
        f"{RESULTS}/logs/report/table_factors.log",
    benchmark:
        f"{RESULTS}/benchmarks/report/table_factors.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 15 * attempt,
    params:
        code=code_of("scripts.report.table_factors"),
        evaluation=lambda wildcards, input: input.scores[0].rsplit("/", 2)[0],
        continuations=lambda wildcards, input: [file.rsplit("/", 1)[0] for file in input.continuations[:1]],
        config=as_json(config, "factors"),
        tasks=TASKS,
        samples=config["evaluation"]["bootstrap_samples"],
        seed=config["seed"],
        folder=lambda wildcards, output: output.page.rsplit("/", 1)[0],
    shell:
        "python -m scripts.report.table_factors"
        " --evaluation {params.evaluation}"
        " --dropped {input.dropped}"
        " --config {params.config:q}"
        " --tasks {params.tasks}"
        " --continuations {params.continuations}"
        " --samples {params.samples}"
        " --seed {params.seed}"
        " --paper {input.paper}"
        " --output {params.folder}"
        " 2>&1 | tee {log}"


rule report_table_continuation:
    """Continuations by themselves: perplexity, the price of the way, signs of babble, the recogniser's errors."""
    input:
        summary=f"{RESULTS}/continuation/summary.csv",
        recogniser=f"{RESULTS}/continuation/recogniser.csv",
    output:
        multiext(f"{RESULTS}/report/tables/continuation", ".csv", ".md", ".tex"),
        page=report(
            f"{RESULTS}/report/tables/continuation.html",
            category="2. Tables",
            labels={"table": "Continuations", "in the paper": "part of Table 4"},
            caption="../report/continuation.rst",
        ),
    log:
        f"{RESULTS}/logs/report/table_continuation.log",
    benchmark:
        f"{RESULTS}/benchmarks/report/table_continuation.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        code=code_of("scripts.report.table_continuation"),
        modalities=CONTINUED,
        folder=lambda wildcards, output: output.page.rsplit("/", 1)[0],
    shell:
        "python -m scripts.report.table_continuation"
        " --summary {input.summary}"
        " --recogniser {input.recogniser}"
        " --modalities {params.modalities}"
        " --output {params.folder}"
        " 2>&1 | tee {log}"


rule report_listen:
    """A page with players: every prompt and what each model went on to say."""
    input:
        prompts=f"{RESULTS}/continuation/prompts.jsonl",
        cuts=f"{RESULTS}/continuation/cuts.jsonl.gz",
        judged=expand(f"{RESULTS}/continuation/judged/generated/{{modality}}.csv", modality=CONTINUED),
        speech=expand(f"{RESULTS}/continuation/speech/{{modality}}", modality=SPOKEN),
    output:
        page=report(
            f"{RESULTS}/report/listen.html",
            category="4. Listen",
            labels={"page": "Continuations"},
            caption="../report/listen.rst",
        ),
    log:
        f"{RESULTS}/logs/report/listen.log",
    benchmark:
        f"{RESULTS}/benchmarks/report/listen.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("scripts.report.listen"),
        audio_root=AUDIO_ROOT,
        modalities=CONTINUED,
        spoken=SPOKEN,
        speech=lambda wildcards, input: [f"{folder}/generated" for folder in input.speech],
        seconds=CONTINUATION["seconds"],
        megabytes=config["report"]["listen_megabytes"],
    shell:
        "python -m scripts.report.listen"
        " --prompts {input.prompts}"
        " --cuts {input.cuts}"
        " --audio-root {params.audio_root:q}"
        " --modalities {params.modalities}"
        " --judged {input.judged}"
        " --spoken {params.spoken}"
        " --speech {params.speech}"
        " --seconds {params.seconds}"
        " --megabytes {params.megabytes}"
        " --output {output.page}"
        " 2>&1 | tee {log}"


rule report_table_dropped:
    """What was left out on the way, counted by stage and reason."""
    input:
        corpus=f"{CORPUS}/dropped.csv",
        alignment=f"{ALIGNMENT}/dropped.csv",
        evaluation=DROPPED,
    output:
        multiext(f"{RESULTS}/report/tables/dropped", ".csv", ".md", ".tex"),
        page=report(
            f"{RESULTS}/report/tables/dropped.html",
            category="2. Tables",
            labels={"table": "Dropped", "in the paper": "not there"},
            caption="../report/dropped.rst",
        ),
    log:
        f"{RESULTS}/logs/report/table_dropped.log",
    benchmark:
        f"{RESULTS}/benchmarks/report/table_dropped.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=5,
    params:
        code=code_of("scripts.report.table_dropped"),
        folder=lambda wildcards, output: output.page.rsplit("/", 1)[0],
    shell:
        "python -m scripts.report.table_dropped"
        " --corpus {input.corpus}"
        " --alignment {input.alignment}"
        " --evaluation {input.evaluation}"
        " --output {params.folder}"
        " 2>&1 | tee {log}"


rule report_summary:
    """The first page: what was run, which factor costs what, the tables, the limits."""
    input:
        tables=expand(f"{RESULTS}/report/tables/{{table}}.csv", table=REPORT_TABLES),
        paper=PAPER,
    output:
        report(
            f"{RESULTS}/report/summary.html",
            category="1. Summary",
            labels={"page": "Which factor costs what"},
            caption="../report/summary.rst",
        ),
    log:
        f"{RESULTS}/logs/report/summary.log",
    benchmark:
        f"{RESULTS}/benchmarks/report/summary.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        code=code_of("scripts.report.summary"),
        tables=lambda wildcards, input: input.tables[0].rsplit("/", 1)[0],
        about=as_json(
            {
                "name": config["name"],
                "seed": config["seed"],
                "source": config["corpus"]["source"],
                "isolated_words": config["corpus"]["world"]["isolated_words"],
                "epochs": config["lm"]["training"]["epochs"],
                "patience": config["lm"]["training"]["patience"],
                "decide_by": config["evaluation"]["decide_by"],
            }
        ),
        factors="--with-factors" if WITH_FACTORS else "",
    shell:
        "python -m scripts.report.summary"
        " --tables {params.tables}"
        " --about {params.about:q}"
        " --paper {input.paper}"
        " --output {output}"
        " {params.factors}"
        " 2>&1 | tee {log}"
