"""The figures of the report: each in every format of `report.formats`, with the drawn data as csv.

Included by report.smk, whose names it uses.
"""


rule report_figure_scaling:
    """The paper's Figure 1: accuracy against data seen in the first epoch, with straight-line fits."""
    input:
        points=expand(
            f"{RESULTS}/evaluation/scaling/{{task}}/{{modality}}{{ending}}",
            task=TASKS,
            modality=MODALITIES,
            ending=[".csv", ".fit.json"],
        ),
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
        code=code_of("scripts.report.figure_scaling"),
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
        layers=expand(f"{RESULTS}/evaluation/layers/{{task}}/{{modality}}.csv", task=TASKS, modality=MODALITIES),
        tuned=expand(f"{RESULTS}/evaluation/tuned/{{task}}/{{modality}}.csv", task=TASKS, modality=MODALITIES),
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
        code=code_of("scripts.report.figure_layers_by_task"),
        layers=lambda wildcards, input: input.layers[0].rsplit("/", 2)[0],
        tuned=lambda wildcards, input: input.tuned[0].rsplit("/", 2)[0],
        modalities=MODALITIES,
        tasks=TASKS,
        formats=FORMATS,
        prefix=lambda wildcards, output: output[0].rsplit(".", 1)[0],
    shell:
        "python -m scripts.report.figure_layers_by_task"
        " --layers {params.layers}"
        " --tuned {params.tuned}"
        " --modalities {params.modalities}"
        " --tasks {params.tasks}"
        " --formats {params.formats}"
        " --output {params.prefix}"
        " 2>&1 | tee {log}"


rule report_figure_layers_lexical:
    """The paper's Figure 3: the word task layer by layer, one modality at a time, with baselines."""
    input:
        layers=expand(f"{RESULTS}/evaluation/layers/{LEXICAL_TASK}/{{modality}}.csv", modality=MODALITIES),
        tuned=expand(f"{RESULTS}/evaluation/tuned/{LEXICAL_TASK}/{{modality}}.csv", modality=MODALITIES),
        summary=f"{RESULTS}/evaluation/summary.csv",
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
        code=code_of("scripts.report.figure_layers_lexical"),
        layers=lambda wildcards, input: input.layers[0].rsplit("/", 2)[0],
        tuned=lambda wildcards, input: input.tuned[0].rsplit("/", 2)[0],
        modalities=MODALITIES,
        task=LEXICAL_TASK,
        formats=FORMATS,
        prefix=lambda wildcards, output: output[0].rsplit(".", 1)[0],
    shell:
        "python -m scripts.report.figure_layers_lexical"
        " --layers {params.layers}"
        " --tuned {params.tuned}"
        " --summary {input.summary}"
        " --modalities {params.modalities}"
        " --task {params.task}"
        " --formats {params.formats}"
        " --output {params.prefix}"
        " 2>&1 | tee {log}"


rule report_figure_spent:
    """Bits per second of every modality, by beginnings and ends of words, silence and repeated frames."""
    input:
        spent=f"{RESULTS}/report/tables/spent.csv",
    output:
        report(
            f"{RESULTS}/report/figures/spent.{FORMATS[0]}",
            category="3. Figures",
            labels={"figure": "Where the bits go", "in the paper": "not there"},
            caption="../report/spent_figure.rst",
        ),
        expand(f"{RESULTS}/report/figures/spent.{{form}}", form=[*FORMATS[1:], "csv"]),
    log:
        f"{RESULTS}/logs/report/figure_spent.log",
    benchmark:
        f"{RESULTS}/benchmarks/report/figure_spent.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("scripts.report.figure_spent"),
        formats=FORMATS,
        prefix=lambda wildcards, output: output[0].rsplit(".", 1)[0],
    shell:
        "python -m scripts.report.figure_spent"
        " --spent {input.spent}"
        " --formats {params.formats}"
        " --output {params.prefix}"
        " 2>&1 | tee {log}"


rule report_figure_factors:
    """Table 3 as a picture, the paper's values beside ours."""
    input:
        factors=f"{RESULTS}/report/tables/factors.csv",
        paper=PAPER,
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
        code=code_of("scripts.report.figure_factors"),
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
        stats=expand(f"{TOKENS}/{{modality}}/stats.json", modality=MODALITIES),
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
        code=code_of("scripts.report.figure_training"),
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
        quality=f"{UNITS}/quality.csv",
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
        code=code_of("scripts.report.figure_unit_quality"),
        formats=FORMATS,
        prefix=lambda wildcards, output: output[0].rsplit(".", 1)[0],
    shell:
        "python -m scripts.report.figure_unit_quality"
        " --quality {input.quality}"
        " --formats {params.formats}"
        " --output {params.prefix}"
        " 2>&1 | tee {log}"
