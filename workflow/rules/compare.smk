"""compare: this experiment beside others that are finished, other systems' scores, and the paper's values.

In: of this experiment and of those in compare.with: evaluation/{summary,dropped}.csv, evaluation/{task}/, evaluation/utterance_bits/,
report/tables/{factors,bit_factors,seeds}.csv, corpus/tasks/ and config.json. Nothing in another experiment's folder is made.
Out: compare/{scores,factors,differences,settings}.csv, compare/figure.* and compare/index.html.
"""

from scripts.project.compared import compared_files, finished_files

COMPARE = f"{RESULTS}/compare"
COMPARED = [config["name"], *config["compare"]["with"]]
WITH_PAPER = ["--paper", PAPER] * config["compare"]["paper"]

try:
    OTHERS, NOT_COMPARED = compared_files(config, EXPERIMENTS), ""
except ValueError as error:
    OTHERS, NOT_COMPARED = [], str(error)

if NOT_COMPARED:

    rule compare:
        """Says why the experiments cannot be compared."""
        log:
            f"{RESULTS}/logs/compare.log",
        localrule: True
        conda:
            "../../envs/core.yaml"
        params:
            why=NOT_COMPARED,
        shell:
            "echo {params.why:q} | tee {log} >&2; exit 1"

else:

    rule compare_tables:
        """Scores and factor changes of every experiment, and paired differences where they scored the same items."""
        input:
            own=finished_files(config["name"], config, EXPERIMENTS),
            others=OTHERS,
            paper=[PAPER] * config["compare"]["paper"],
        output:
            expand(f"{COMPARE}/{{table}}.csv", table=["scores", "factors", "differences", "settings"]),
        log:
            f"{RESULTS}/logs/compare/tables.log",
        benchmark:
            f"{RESULTS}/benchmarks/compare/tables.tsv"
        conda:
            "../../envs/core.yaml"
        params:
            code=code_of("scripts.report.compare_tables"),
            # Each folder holds the configuration in config.json; that of this experiment is written when a run starts.
            folders=[f"{EXPERIMENTS}/{name}" for name in COMPARED],
            config=literal(as_json({key: RECORDED[key] for key in RECORDED if key != "report"})),
            paper=WITH_PAPER,
            samples=config["evaluation"]["bootstrap_samples"],
            seed=config["seed"],
            folder=subpath(output[0], parent=True),
        shell:
            "python -m scripts.report.compare_tables"
            " --experiments {params.folders}"
            " {params.paper:q}"
            " --samples {params.samples}"
            " --seed {params.seed}"
            " --output {params.folder}"
            " 2>&1 | tee {log}"

    rule compare_figure:
        """Accuracies and bits per second of the experiments side by side."""
        input:
            scores=f"{COMPARE}/scores.csv",
        output:
            expand(f"{COMPARE}/figure.{{form}}", form=[*FORMATS, "csv"]),
        log:
            f"{RESULTS}/logs/compare/figure.log",
        benchmark:
            f"{RESULTS}/benchmarks/compare/figure.tsv"
        conda:
            "../../envs/core.yaml"
        params:
            code=code_of("scripts.report.figure_compare"),
            formats=FORMATS,
            prefix=lambda wildcards, output: output[0].rsplit(".", 1)[0],
        shell:
            "python -m scripts.report.figure_compare"
            " --scores {input.scores}"
            " --formats {params.formats}"
            " --output {params.prefix}"
            " 2>&1 | tee {log}"

    rule compare_page:
        """A page with the differences in words, the figure, and tables with a column per experiment."""
        input:
            tables=rules.compare_tables.output,
            paper=[PAPER] * config["compare"]["paper"],
        output:
            page=f"{COMPARE}/index.html",
        log:
            f"{RESULTS}/logs/compare/page.log",
        benchmark:
            f"{RESULTS}/benchmarks/compare/page.tsv"
        conda:
            "../../envs/core.yaml"
        params:
            code=code_of("scripts.report.compare_page"),
            experiments=COMPARED,
            paper=WITH_PAPER,
            folder=subpath(output.page, parent=True),
        shell:
            "python -m scripts.report.compare_page"
            " --tables {params.folder}"
            " --experiments {params.experiments}"
            " {params.paper:q}"
            " --output {output.page}"
            " 2>&1 | tee {log}"

    rule compare:
        """This experiment beside others, as tables, a figure and a page."""
        input:
            rules.compare_page.output.page,
            rules.compare_figure.output,
        localrule: True
