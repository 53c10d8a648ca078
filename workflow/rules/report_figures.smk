"""report: the figures, each in every format of `report.formats` with the drawn data as csv; included by report.smk.

An entry of `FIGURES` becomes rule report_figure_<name>, which runs scripts/report/figure_<drawn_by>.py (the entry's
`drawn_by`, its name if it gives none) and shows the first
format with the caption workflow/report/<caption>.rst in the report's `category`, "3. Figures" if it names none.
`shown` is false if the configuration has no data for the figure, or if it is not part of the report; `target` names a
further target that requests it.
"""

FIGURES = {
    "chain": dict(  # accuracy at each step from text to speech, with the loss of each factor
        label="The evolution chain",
        in_paper="from Tables 3 and 4",
        category="1. Summary",
        shown=WITH_FACTORS,
        input=dict(scores=PAIR_SCORES, dropped=DROPPED, paper=PAPER),
        flags=lambda wildcards, input: [
            *("--evaluation", input.scores[0].rsplit("/", 2)[0]),
            *("--dropped", input.dropped),
            *("--modalities", *MODALITIES),
            *("--tasks", *TASKS),
            *("--config", as_json(config, "factors")),
            *("--score-normalization", config["evaluation"]["score_normalization"]),
            *("--samples", config["evaluation"]["bootstrap_samples"]),
            *("--seed", config["seed"]),
            *("--paper", input.paper),
        ],
    ),
    "bit_factors": dict(  # bits per second of dev before and after each factor
        label="The cost in bits",
        in_paper="not there",
        category="1. Summary",
        caption="bit_factors_figure",
        shown=bool(config["factors"]),
        input=dict(bit_factors=f"{RESULTS}/report/tables/bit_factors.csv"),
        flags=lambda wildcards, input: [
            *("--bit-factors", input.bit_factors),
            *("--modalities", *MODALITIES),
        ],
    ),
    "exposures": dict(  # accuracy of words against their exposures, and the exposures needed for 75%
        label="Exposures",
        in_paper="not there",
        caption="exposures_figure",
        shown=bool(TASKS),
        input=dict(exposures=f"{RESULTS}/evaluation/exposures.csv"),
        flags=lambda wildcards, input: [
            *("--exposures", input.exposures),
            *("--modalities", *MODALITIES),
        ],
    ),
    "reach": dict(  # accuracy against the distance between two words, and the distance at which it is 75%
        label="Reach",
        in_paper="not there",
        caption="reach_figure",
        shown=bool(TASKS),
        input=dict(reach=f"{RESULTS}/evaluation/reach.csv"),
        flags=lambda wildcards, input: [
            *("--reach", input.reach),
            *("--modalities", *MODALITIES),
        ],
    ),
    "training": dict(  # dev loss of every model over its training, per token and per second of speech
        label="Training",
        in_paper="not there",
        shown=True,
        input=dict(
            logs=expand(f"{RESULTS}/lm/{{modality}}/log.csv", modality=MODALITIES),
            stats=expand(f"{TOKENS}/{{modality}}/stats.json", modality=MODALITIES),
        ),
        flags=lambda wildcards, input: [
            *("--logs", input.logs[0].rsplit("/", 2)[0]),
            *("--tokens", input.stats[0].rsplit("/", 2)[0]),
            *("--modalities", *MODALITIES),
        ],
    ),
    "unit_quality": dict(  # phone information in the units, beside that of untrained features
        label="Unit quality",
        in_paper="not there",
        shown=True,
        target="unit_quality",
        input=dict(quality=f"{UNITS}/quality.csv"),
        flags=lambda wildcards, input: [
            *("--quality", input.quality),
        ],
    ),
    "bit_breakdown": dict(  # bits per second by beginnings and ends of words, silence and repeated frames
        label="Bit breakdown",
        in_paper="not there",
        caption="bit_breakdown_figure",
        shown=True,
        input=dict(bit_breakdown=f"{RESULTS}/report/tables/bit_breakdown.csv"),
        flags=lambda wildcards, input: [
            *("--bit-breakdown", input.bit_breakdown),
        ],
    ),
    "scaling": dict(  # accuracy against data seen in the first epoch and of complete schedules, with fits
        label="Scaling",
        in_paper="Figure 1",
        shown=bool(TASKS),
        input=dict(
            points=expand(
                f"{RESULTS}/evaluation/scaling/{{task}}/{{modality}}{{ending}}",
                task=TASKS,
                modality=MODALITIES,
                ending=[".csv", ".fit.json"],
            ),
            schedules=[f"{RESULTS}/evaluation/schedules.csv"] * bool(TASKS),
        ),
        flags=lambda wildcards, input: [
            *("--scaling", input.points[0].rsplit("/", 2)[0]),
            *("--schedules", *input.schedules),
            *("--modalities", *MODALITIES),
            *("--tasks", *TASKS),
        ],
    ),
    "layers_by_task": dict(  # accuracy after each layer, per task and modality
        label="Layers by task",
        in_paper="Figure 2",
        shown=bool(TASKS),
        input=dict(
            layers=expand(f"{RESULTS}/evaluation/layers/{{task}}/{{modality}}.csv", task=TASKS, modality=MODALITIES),
            tuned_lens=expand(
                f"{RESULTS}/evaluation/tuned_lens/{{task}}/{{modality}}.csv", task=TASKS, modality=MODALITIES
            ),
        ),
        flags=lambda wildcards, input: [
            *("--layers", input.layers[0].rsplit("/", 2)[0]),
            *("--tuned-lens", input.tuned_lens[0].rsplit("/", 2)[0]),
            *("--modalities", *MODALITIES),
            *("--tasks", *TASKS),
        ],
    ),
    "layers_lexical": dict(  # accuracy of the lexical task by layer and modality, with baselines
        label="Layers, lexical task",
        in_paper="Figure 3",
        shown=LEXICAL_TASK in TASKS,
        input=dict(
            layers=expand(f"{RESULTS}/evaluation/layers/{LEXICAL_TASK}/{{modality}}.csv", modality=MODALITIES),
            tuned_lens=expand(f"{RESULTS}/evaluation/tuned_lens/{LEXICAL_TASK}/{{modality}}.csv", modality=MODALITIES),
            summary=f"{RESULTS}/evaluation/summary.csv",
        ),
        flags=lambda wildcards, input: [
            *("--layers", input.layers[0].rsplit("/", 2)[0]),
            *("--tuned-lens", input.tuned_lens[0].rsplit("/", 2)[0]),
            *("--summary", input.summary),
            *("--modalities", *MODALITIES),
            *("--task", LEXICAL_TASK),
        ],
    ),
    "factors": dict(  # Table 3 as a figure, with the paper's values
        label="Factors",
        in_paper="from Table 3",
        caption="factors_figure",
        shown=WITH_FACTORS,
        input=dict(factors=f"{RESULTS}/report/tables/factors.csv", paper=PAPER),
        flags=lambda wildcards, input: [
            *("--factors", input.factors),
            *("--paper", input.paper),
        ],
    ),
    "ladder": dict(  # what each step of a ladder changes, stacked
        label="Ladders",
        in_paper="not there",
        caption="ladder_figure",
        shown=bool(config["ladders"]),
        input=dict(ladder=f"{RESULTS}/evaluation/ladder.csv"),
        flags=lambda wildcards, input: [
            *("--ladder", input.ladder),
        ],
    ),
    "unit_sweep": dict(  # phone and speaker information by layer and K
        label="Units by layer and K",
        in_paper="not there",
        shown=False,
        target="unit_quality" if EXTERNAL["units"] is None else None,
        input=dict(sweep=expand(f"{UNITS}/sweep/{{layer}}.csv", layer=config["units"]["sweep"]["layers"])),
        flags=lambda wildcards, input: [
            *("--sweep", *input.sweep),
        ],
    ),
    "kmeans": dict(  # the objective of the k-means after each iteration
        label="k-means",
        in_paper="not there",
        shown=False,
        target="unit_quality" if EXTERNAL["units"] is None else None,
        input=dict(about=f"{UNITS}/kmeans.json"),
        flags=lambda wildcards, input: [
            *("--about", input.about),
        ],
    ),
}
# One figure per dial, all drawn by scripts/report/figure_dial.py.
FIGURES |= {
    f"dial_{dial['name']}": dict(
        label=f"Dial: {dial['name']}",
        in_paper="not there",
        caption="dial_figure",
        shown=True,
        drawn_by="dial",
        input=dict(dials=f"{RESULTS}/evaluation/dials.csv"),
        flags=lambda wildcards, input, dial=dial: [
            *("--dials", input.dials),
            *("--dial", dial["name"]),
            *("--axis", f"{dial['dose']}, {dial['unit']}"),
        ],
    )
    for dial in config["dials"]
}
REPORT_FIGURES = [name for name, figure in FIGURES.items() if figure["shown"]]


rule figures:
    """All figures, with the drawn data as csv."""
    input:
        expand(f"{RESULTS}/report/figures/{{figure}}.{{form}}", figure=REPORT_FIGURES, form=[*FORMATS, "csv"]),
    localrule: True


for name, figure in FIGURES.items():

    rule:
        name:
            f"report_figure_{name}"
        input:
            **figure["input"],
        output:
            report(
                f"{RESULTS}/report/figures/{name}.{FORMATS[0]}",
                category=figure.get("category", "3. Figures"),
                labels={"figure": figure["label"], "in the paper": figure["in_paper"]},
                caption=f"../report/{figure.get('caption', name)}.rst",
            ),
            expand(f"{RESULTS}/report/figures/{name}.{{form}}", form=[*FORMATS[1:], "csv"]),
        log:
            f"{RESULTS}/logs/report/figure_{name}.log",
        benchmark:
            f"{RESULTS}/benchmarks/report/figure_{name}.tsv"
        conda:
            "../../envs/core.yaml"
        params:
            code=code_of(f"scripts.report.figure_{figure.get('drawn_by', name)}"),
            module=f"scripts.report.figure_{figure.get('drawn_by', name)}",
            flags=figure["flags"],
            formats=FORMATS,
            prefix=lambda wildcards, output: output[0].rsplit(".", 1)[0],
        shell:
            "python -m {params.module}"
            " {params.flags:q}"
            " --formats {params.formats}"
            " --output {params.prefix}"
            " 2>&1 | tee {log}"
