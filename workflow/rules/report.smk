"""report: the paper's tables and figures with its published values, and a summary page.

In: tokens/{modality}/stats.json, lm/{modality}/log.csv, units/quality.csv, evaluation/summary.csv and,
for every task, evaluation/{task}/, evaluation/{layers,tuned_lens,scaling}/{task}/; evaluation/bit_breakdown/;
dropped.csv of corpus and alignment; resources/paper.yaml.
Out: report/tables/*.{csv,md,tex,html}, report/figures/* in every format of `report.formats` with the drawn
data as csv, report/summary.html. Outputs marked `report(...)` are included in `snakemake --report`.

If there are no tasks (`TASKS` is empty), the targets omit the outputs that need one.
"""

PAPER = str(HERE / "resources/paper.yaml")
LEXICAL_TASK = "swuggy"  # the task of figure layers_lexical
FORMATS = config["report"]["formats"]  # the first one is included in the report
WITH_FACTORS = bool(TASKS) and bool(config["factors"])


include: "report_tables.smk"
include: "report_figures.smk"


rule report_listen:
    """A page with audio players: every prompt and its continuations by each model."""
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
    params:
        code=code_of("scripts.report.listening_page"),
        audio_root=AUDIO_ROOT,
        modalities=CONTINUED,
        spoken=SPOKEN,
        speech=lambda wildcards, input: [f"{folder}/generated" for folder in input.speech],
        seconds=CONTINUATION["seconds"],
        megabytes=config["report"]["listen_megabytes"],
    shell:
        "python -m scripts.report.listening_page"
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


rule report_summary:
    """The summary page: the question, what each factor costs, then the run, the main tables, the limits."""
    input:
        tables=expand(f"{RESULTS}/report/tables/{{table}}.csv", table=REPORT_TABLES),
        chain=[f"{RESULTS}/report/figures/chain.csv"] * WITH_FACTORS,
        paper=PAPER,
    output:
        report(
            f"{RESULTS}/report/summary.html",
            category="1. Summary",
            labels={"page": "The cost of each factor"},
            caption="../report/summary.rst",
        ),
    log:
        f"{RESULTS}/logs/report/summary.log",
    benchmark:
        f"{RESULTS}/benchmarks/report/summary.tsv"
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.report.summary_page"),
        tables=lambda wildcards, input: input.tables[0].rsplit("/", 1)[0],
        about=as_json(
            {
                "name": config["name"],
                "seed": config["seed"],
                "source": config["corpus"]["source"],
                "isolated_words": config["corpus"]["world"]["isolated_words"],
                "epochs": config["lm"]["training"]["epochs"],
                "patience": config["lm"]["training"]["patience"],
                "score_normalization": config["evaluation"]["score_normalization"],
            }
        ),
        bit_factors="--with-bit-factors" if "bit_factors" in REPORT_TABLES else "",
    shell:
        "python -m scripts.report.summary_page"
        " --tables {params.tables}"
        " --about {params.about:q}"
        " --paper {input.paper:q}"
        " --output {output}"
        " --chain {input.chain}"
        " {params.bit_factors}"
        " 2>&1 | tee {log}"
