"""report: the paper's tables and figures, its published values beside ours, and a first page.

In: tokens/{modality}/stats.json, lm/{modality}/log.csv, units/quality.csv, evaluation/summary.csv and,
for every task, evaluation/{task}/, evaluation/layers/{task}/, evaluation/scaling/{task}/; dropped.csv of
corpus and alignment; resources/paper.yaml.
Out: report/tables/*.{csv,md,tex,html}, report/figures/* in every format of `report.formats` with the drawn
data as csv, report/summary.html. What is marked `report(...)` goes into `snakemake --report`.

Without tasks (`TASKS` is empty) nothing that needs one is asked for; the rules stay.
"""

PAPER = "resources/paper.yaml"
LEXICAL_TASK = "swuggy"  # the task about words, shown layer by layer
FORMATS = config["report"]["formats"]  # the first one stands in the report
WITH_FACTORS = bool(TASKS) and bool(config["factors"])

REPORT_TABLES = ["modalities", "results", "dropped"] + ["factors"] * WITH_FACTORS
REPORT_FIGURES = (
    ["training", "unit_quality"]
    + ["scaling", "layers_by_task"] * bool(TASKS)
    + ["layers_lexical"] * (LEXICAL_TASK in TASKS)
    + ["factors"] * WITH_FACTORS
)


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
        stats=expand(f"{RESULTS}/tokens/{{modality}}/stats.json", modality=MODALITIES),
        paper=PAPER,
        code=module_files("scripts.report.table_modalities"),
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
        paper=PAPER,
        code=module_files("scripts.report.table_results"),
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
        modalities=MODALITIES,
        tasks=TASKS,
        decide_by=config["evaluation"]["decide_by"],
        folder=lambda wildcards, output: output.page.rsplit("/", 1)[0],
    shell:
        "python -m scripts.report.table_results"
        " --summary {input.summary}"
        " --modalities {params.modalities}"
        " --tasks {params.tasks}"
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
        paper=PAPER,
        code=module_files("scripts.report.table_factors"),
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
        evaluation=lambda wildcards, input: input.scores[0].rsplit("/", 2)[0],
        config=as_json(config, "factors"),
        tasks=TASKS,
        samples=config["evaluation"]["bootstrap_samples"],
        seed=config["seed"],
        folder=lambda wildcards, output: output.page.rsplit("/", 1)[0],
    shell:
        "python -m scripts.report.table_factors"
        " --evaluation {params.evaluation}"
        " --config {params.config:q}"
        " --tasks {params.tasks}"
        " --samples {params.samples}"
        " --seed {params.seed}"
        " --paper {input.paper}"
        " --output {params.folder}"
        " 2>&1 | tee {log}"


rule report_table_dropped:
    """What was left out on the way, counted by stage and reason."""
    input:
        corpus=f"{RESULTS}/corpus/dropped.csv",
        alignment=f"{RESULTS}/alignment/dropped.csv",
        code=module_files("scripts.report.table_dropped"),
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
        folder=lambda wildcards, output: output.page.rsplit("/", 1)[0],
    shell:
        "python -m scripts.report.table_dropped"
        " --corpus {input.corpus}"
        " --alignment {input.alignment}"
        " --output {params.folder}"
        " 2>&1 | tee {log}"


rule report_figure_scaling:
    """The paper's Figure 1: accuracy against data seen in the first epoch, with straight-line fits."""
    input:
        points=expand(
            f"{RESULTS}/evaluation/scaling/{{task}}/{{modality}}{{ending}}",
            task=TASKS,
            modality=MODALITIES,
            ending=[".csv", ".fit.json"],
        ),
        code=module_files("scripts.report.figure_scaling"),
    output:
        report(
            f"{RESULTS}/report/figures/scaling.{FORMATS[0]}",
            category="3. Figures",
            labels={"figure": "Scaling", "in the paper": "Figure 1"},
            caption="../report/scaling.rst",
        ),
        expand(f"{RESULTS}/report/figures/scaling.{{form}}", form=[*FORMATS[1:], "csv"]),
    log:
        f"{RESULTS}/logs/report/figure_scaling.log",
    benchmark:
        f"{RESULTS}/benchmarks/report/figure_scaling.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        scaling=lambda wildcards, input: input.points[0].rsplit("/", 2)[0],
        modalities=MODALITIES,
        tasks=TASKS,
        formats=FORMATS,
        prefix=lambda wildcards, output: output[0].rsplit(".", 1)[0],
    shell:
        "python -m scripts.report.figure_scaling"
        " --scaling {params.scaling}"
        " --modalities {params.modalities}"
        " --tasks {params.tasks}"
        " --formats {params.formats}"
        " --output {params.prefix}"
        " 2>&1 | tee {log}"


rule report_figure_layers_by_task:
    """The paper's Figure 2: accuracy after each layer, per task and modality."""
    input:
        layers=expand(
            f"{RESULTS}/evaluation/layers/{{task}}/{{modality}}.csv",
            task=TASKS,
            modality=MODALITIES,
        ),
        code=module_files("scripts.report.figure_layers_by_task"),
    output:
        report(
            f"{RESULTS}/report/figures/layers_by_task.{FORMATS[0]}",
            category="3. Figures",
            labels={"figure": "Layers by task", "in the paper": "Figure 2"},
            caption="../report/layers_by_task.rst",
        ),
        expand(
            f"{RESULTS}/report/figures/layers_by_task.{{form}}",
            form=[*FORMATS[1:], "csv"],
        ),
    log:
        f"{RESULTS}/logs/report/figure_layers_by_task.log",
    benchmark:
        f"{RESULTS}/benchmarks/report/figure_layers_by_task.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        layers=lambda wildcards, input: input.layers[0].rsplit("/", 2)[0],
        modalities=MODALITIES,
        tasks=TASKS,
        formats=FORMATS,
        prefix=lambda wildcards, output: output[0].rsplit(".", 1)[0],
    shell:
        "python -m scripts.report.figure_layers_by_task"
        " --layers {params.layers}"
        " --modalities {params.modalities}"
        " --tasks {params.tasks}"
        " --formats {params.formats}"
        " --output {params.prefix}"
        " 2>&1 | tee {log}"


rule report_figure_layers_lexical:
    """The paper's Figure 3: the word task layer by layer, one modality at a time, with baselines."""
    input:
        layers=expand(
            f"{RESULTS}/evaluation/layers/{LEXICAL_TASK}/{{modality}}.csv",
            modality=MODALITIES,
        ),
        summary=f"{RESULTS}/evaluation/summary.csv",
        code=module_files("scripts.report.figure_layers_lexical"),
    output:
        report(
            f"{RESULTS}/report/figures/layers_lexical.{FORMATS[0]}",
            category="3. Figures",
            labels={"figure": "Layers, words", "in the paper": "Figure 3"},
            caption="../report/layers_lexical.rst",
        ),
        expand(
            f"{RESULTS}/report/figures/layers_lexical.{{form}}",
            form=[*FORMATS[1:], "csv"],
        ),
    log:
        f"{RESULTS}/logs/report/figure_layers_lexical.log",
    benchmark:
        f"{RESULTS}/benchmarks/report/figure_layers_lexical.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        layers=lambda wildcards, input: input.layers[0].rsplit("/", 2)[0],
        modalities=MODALITIES,
        task=LEXICAL_TASK,
        formats=FORMATS,
        prefix=lambda wildcards, output: output[0].rsplit(".", 1)[0],
    shell:
        "python -m scripts.report.figure_layers_lexical"
        " --layers {params.layers}"
        " --summary {input.summary}"
        " --modalities {params.modalities}"
        " --task {params.task}"
        " --formats {params.formats}"
        " --output {params.prefix}"
        " 2>&1 | tee {log}"


rule report_figure_factors:
    """Table 3 as a picture, the paper's values beside ours."""
    input:
        factors=f"{RESULTS}/report/tables/factors.csv",
        paper=PAPER,
        code=module_files("scripts.report.figure_factors"),
    output:
        report(
            f"{RESULTS}/report/figures/factors.{FORMATS[0]}",
            category="3. Figures",
            labels={"figure": "Factors", "in the paper": "from Table 3"},
            caption="../report/factors_figure.rst",
        ),
        expand(f"{RESULTS}/report/figures/factors.{{form}}", form=[*FORMATS[1:], "csv"]),
    log:
        f"{RESULTS}/logs/report/figure_factors.log",
    benchmark:
        f"{RESULTS}/benchmarks/report/figure_factors.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        formats=FORMATS,
        prefix=lambda wildcards, output: output[0].rsplit(".", 1)[0],
    shell:
        "python -m scripts.report.figure_factors"
        " --factors {input.factors}"
        " --paper {input.paper}"
        " --formats {params.formats}"
        " --output {params.prefix}"
        " 2>&1 | tee {log}"


rule report_figure_training:
    """Dev loss of every model over its training, per token and per second of speech."""
    input:
        logs=expand(f"{RESULTS}/lm/{{modality}}/log.csv", modality=MODALITIES),
        stats=expand(f"{RESULTS}/tokens/{{modality}}/stats.json", modality=MODALITIES),
        code=module_files("scripts.report.figure_training"),
    output:
        report(
            f"{RESULTS}/report/figures/training.{FORMATS[0]}",
            category="3. Figures",
            labels={"figure": "Training", "in the paper": "not there"},
            caption="../report/training.rst",
        ),
        expand(f"{RESULTS}/report/figures/training.{{form}}", form=[*FORMATS[1:], "csv"]),
    log:
        f"{RESULTS}/logs/report/figure_training.log",
    benchmark:
        f"{RESULTS}/benchmarks/report/figure_training.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        logs=lambda wildcards, input: input.logs[0].rsplit("/", 2)[0],
        tokens=lambda wildcards, input: input.stats[0].rsplit("/", 2)[0],
        modalities=MODALITIES,
        formats=FORMATS,
        prefix=lambda wildcards, output: output[0].rsplit(".", 1)[0],
    shell:
        "python -m scripts.report.figure_training"
        " --logs {params.logs}"
        " --tokens {params.tokens}"
        " --modalities {params.modalities}"
        " --formats {params.formats}"
        " --output {params.prefix}"
        " 2>&1 | tee {log}"


rule report_figure_unit_quality:
    """How much the units know about phones, beside units that learnt nothing."""
    input:
        quality=f"{RESULTS}/units/quality.csv",
        code=module_files("scripts.report.figure_unit_quality"),
    output:
        report(
            f"{RESULTS}/report/figures/unit_quality.{FORMATS[0]}",
            category="3. Figures",
            labels={"figure": "Unit quality", "in the paper": "not there"},
            caption="../report/unit_quality.rst",
        ),
        expand(
            f"{RESULTS}/report/figures/unit_quality.{{form}}",
            form=[*FORMATS[1:], "csv"],
        ),
    log:
        f"{RESULTS}/logs/report/figure_unit_quality.log",
    benchmark:
        f"{RESULTS}/benchmarks/report/figure_unit_quality.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        formats=FORMATS,
        prefix=lambda wildcards, output: output[0].rsplit(".", 1)[0],
    shell:
        "python -m scripts.report.figure_unit_quality"
        " --quality {input.quality}"
        " --formats {params.formats}"
        " --output {params.prefix}"
        " 2>&1 | tee {log}"


rule report_summary:
    """The first page: what was run, which factor costs what, the tables, the limits."""
    input:
        tables=expand(f"{RESULTS}/report/tables/{{table}}.csv", table=REPORT_TABLES),
        paper=PAPER,
        code=module_files("scripts.report.summary"),
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
        tables=lambda wildcards, input: input.tables[0].rsplit("/", 1)[0],
        about=as_json(
            {
                "name": config["name"],
                "seed": config["seed"],
                "source": config["corpus"]["source"],
                "isolated_words": config["corpus"]["world"]["isolated_words"],
                "epochs": config["lm"]["training"]["epochs"],
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
