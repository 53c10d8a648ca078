"""report: the tables that say how far the scores can be trusted; included by report.smk.

In: evaluation/{groups,controls}.csv, evaluation/spent/ and evaluation/{task}/.
Out: report/tables/{groups,controls,spent,decisions}.*.
"""


rule report_table_groups:
    """Scores by phenomenon, frequency band, topic: by what the items' own labels say."""
    input:
        groups=f"{RESULTS}/evaluation/groups.csv",
    output:
        multiext(f"{RESULTS}/report/tables/groups", ".csv", ".md", ".tex"),
        page=report(
            f"{RESULTS}/report/tables/groups.html",
            category="2. Tables",
            labels={"table": "Groups of items", "in the paper": "not there"},
            caption="../report/groups.rst",
        ),
    log:
        f"{RESULTS}/logs/report/table_groups.log",
    benchmark:
        f"{RESULTS}/benchmarks/report/table_groups.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        code=code_of("scripts.report.table_groups"),
        modalities=SYSTEMS,
        tasks=[*TASKS, *TEXT_TASKS],
        folder=lambda wildcards, output: output.page.rsplit("/", 1)[0],
    shell:
        "python -m scripts.report.table_groups"
        " --groups {input.groups}"
        " --modalities {params.modalities}"
        " --tasks {params.tasks}"
        " --output {params.folder}"
        " 2>&1 | tee {log}"


rule report_table_controls:
    """What the models score without what they learnt."""
    input:
        controls=f"{RESULTS}/evaluation/controls.csv",
    output:
        multiext(f"{RESULTS}/report/tables/controls", ".csv", ".md", ".tex"),
        page=report(
            f"{RESULTS}/report/tables/controls.html",
            category="2. Tables",
            labels={"table": "Controls", "in the paper": "not there"},
            caption="../report/controls.rst",
        ),
    log:
        f"{RESULTS}/logs/report/table_controls.log",
    benchmark:
        f"{RESULTS}/benchmarks/report/table_controls.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        code=code_of("scripts.report.table_controls"),
        modalities=MODALITIES,
        folder=lambda wildcards, output: output.page.rsplit("/", 1)[0],
    shell:
        "python -m scripts.report.table_controls"
        " --controls {input.controls}"
        " --modalities {params.modalities}"
        " --output {params.folder}"
        " 2>&1 | tee {log}"


rule report_table_spent:
    """Where each modality's bits go."""
    input:
        spent=expand(f"{RESULTS}/evaluation/spent/{{modality}}.csv", modality=MODALITIES),
    output:
        multiext(f"{RESULTS}/report/tables/spent", ".csv", ".md", ".tex"),
        page=report(
            f"{RESULTS}/report/tables/spent.html",
            category="2. Tables",
            labels={"table": "Where the bits go", "in the paper": "not there"},
            caption="../report/spent.rst",
        ),
    log:
        f"{RESULTS}/logs/report/table_spent.log",
    benchmark:
        f"{RESULTS}/benchmarks/report/table_spent.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        code=code_of("scripts.report.table_spent"),
        spent=lambda wildcards, input: input.spent[0].rsplit("/", 1)[0],
        modalities=MODALITIES,
        folder=lambda wildcards, output: output.page.rsplit("/", 1)[0],
    shell:
        "python -m scripts.report.table_spent"
        " --spent {params.spent}"
        " --modalities {params.modalities}"
        " --output {params.folder}"
        " 2>&1 | tee {log}"


rule report_table_decisions:
    """The factors' changes under each way to decide a pair."""
    input:
        scores=expand(
            f"{RESULTS}/evaluation/{{task}}/{{modality}}.csv",
            task=TASKS,
            modality=MODALITIES,
        ),
        dropped=DROPPED,
    output:
        multiext(f"{RESULTS}/report/tables/decisions", ".csv", ".md", ".tex"),
        page=report(
            f"{RESULTS}/report/tables/decisions.html",
            category="2. Tables",
            labels={"table": "What decides a pair", "in the paper": "not there"},
            caption="../report/decisions.rst",
        ),
    log:
        f"{RESULTS}/logs/report/table_decisions.log",
    benchmark:
        f"{RESULTS}/benchmarks/report/table_decisions.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        code=code_of("scripts.report.table_decisions"),
        evaluation=lambda wildcards, input: input.scores[0].rsplit("/", 2)[0],
        config=as_json(config, "factors"),
        tasks=TASKS,
        samples=config["evaluation"]["bootstrap_samples"],
        seed=config["seed"],
        folder=lambda wildcards, output: output.page.rsplit("/", 1)[0],
    shell:
        "python -m scripts.report.table_decisions"
        " --evaluation {params.evaluation}"
        " --dropped {input.dropped}"
        " --config {params.config:q}"
        " --tasks {params.tasks}"
        " --samples {params.samples}"
        " --seed {params.seed}"
        " --output {params.folder}"
        " 2>&1 | tee {log}"
