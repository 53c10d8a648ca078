"""report: the tables, each as csv, Markdown, LaTeX and HTML; included by report.smk, whose names it uses.

An entry of `TABLES` becomes rule report_table_<name>, which runs scripts/report/table_<name>.py and shows the HTML with
the caption workflow/report/<name>.rst. `shown` is false if the configuration has no data for the
table: the rule exists, but no target requests it.
"""

from scripts.lm.starts import starts

PAIR_SCORES = expand(f"{RESULTS}/evaluation/{{task}}/{{modality}}.csv", task=TASKS, modality=MODALITIES)

TABLES = {
    "modalities": dict(  # vocabulary, tokens and tokens per second of each modality
        label="Modalities",
        in_paper="Table 2",
        shown=True,
        input=dict(
            stats=expand(f"{TOKENS}/{{modality}}/stats.json", modality=MODALITIES),
            paper=PAPER,
        ),
        flags=lambda wildcards, input: [
            *("--tokens", input.stats[0].rsplit("/", 2)[0]),
            *("--modalities", *MODALITIES),
            *("--config", as_json(config, "factors")),
            *("--starts", *(f"{name}={start}" for name, start in starts(config["modalities"]).items())),
            *("--paper", input.paper),
        ],
    ),
    "results": dict(  # scores with intervals and baselines, bits per second and per word
        label="Results",
        in_paper="Table 4",
        shown=True,
        input=dict(
            summary=f"{RESULTS}/evaluation/summary.csv",
            continuation=[f"{RESULTS}/continuation/summary.csv"] * WITH_CONTINUATION,
            paper=PAPER,
        ),
        flags=lambda wildcards, input: [
            *("--summary", input.summary),
            *("--modalities", *SYSTEMS),
            *("--external-systems", *config["evaluation"]["external_systems"]),
            *("--tasks", *TASKS),
            *("--text-tasks", *TEXT_TASKS),
            *("--continuation", *input.continuation),
            *("--score-normalization", config["evaluation"]["score_normalization"]),
            *("--paper", input.paper),
        ],
    ),
    "factors": dict(  # what each factor changes, with paired bootstrap intervals
        label="Factors",
        in_paper="Table 3",
        shown=WITH_FACTORS,
        input=dict(
            scores=PAIR_SCORES,
            dropped=DROPPED,
            continuations=expand(
                f"{RESULTS}/continuation/judged/generated/{{modality}}.csv", modality=CONTINUED * WITH_CONTINUATION
            ),
            continuation_summary=[f"{RESULTS}/continuation/summary.csv"] * WITH_CONTINUATION,
            spoken_text=expand(
                f"{SPOKEN_TEXT}/judged/generated/{{modality}}.csv", modality=READ_ALOUD * WITH_CONTINUATION
            ),
            paper=PAPER,
        ),
        flags=lambda wildcards, input: [
            *("--evaluation", input.scores[0].rsplit("/", 2)[0]),
            *("--dropped", input.dropped),
            *("--config", as_json(config, "factors")),
            *("--tasks", *TASKS),
            *("--continuations", *[file.rsplit("/", 1)[0] for file in input.continuations[:1]]),
            *("--continuation-summary", *input.continuation_summary),
            *("--spoken-text", *[file.rsplit("/", 1)[0] for file in input.spoken_text[:1]]),
            *("--samples", config["evaluation"]["bootstrap_samples"]),
            *("--seed", config["seed"]),
            *("--score-normalization", config["evaluation"]["score_normalization"]),
            *("--paper", input.paper),
        ],
    ),
    "bit_factors": dict(  # what each factor changes in the bits of dev, over the same utterances
        label="Factors, in bits",
        in_paper="not there",
        shown=bool(config["factors"]),
        input=dict(
            bits=expand(f"{RESULTS}/evaluation/utterance_bits/{{modality}}.csv", modality=MODALITIES),
            paper=PAPER,
        ),
        flags=lambda wildcards, input: [
            *("--bits", input.bits[0].rsplit("/", 1)[0]),
            *("--config", as_json(config, "factors")),
            *("--samples", config["evaluation"]["bootstrap_samples"]),
            *("--seed", config["seed"]),
            *("--paper", input.paper),
        ],
    ),
    "decisions": dict(  # the factors' changes under each normalisation of the log-probability
        label="Changes by score normalization",
        in_paper="not there",
        shown=WITH_FACTORS,
        input=dict(scores=PAIR_SCORES, dropped=DROPPED),
        flags=lambda wildcards, input: [
            *("--evaluation", input.scores[0].rsplit("/", 2)[0]),
            *("--dropped", input.dropped),
            *("--config", as_json(config, "factors")),
            *("--tasks", *TASKS),
            *("--samples", config["evaluation"]["bootstrap_samples"]),
            *("--seed", config["seed"]),
        ],
    ),
    "seeds": dict(  # mean, standard deviation and interval over training seeds
        label="Variation over training seeds",
        in_paper="not there",
        shown=bool(TASKS and config["seeds"]),
        input=dict(
            scores=expand(
                f"{RESULTS}/evaluation/{{task}}/{{modality}}.csv", task=TASKS, modality=[*MODALITIES, *SEED_REPLICAS]
            ),
            dropped=DROPPED,
        ),
        flags=lambda wildcards, input: [
            *("--evaluation", input.scores[0].rsplit("/", 2)[0]),
            *("--dropped", input.dropped),
            *("--modalities", *MODALITIES),
            *("--tasks", *TASKS),
            *("--config", as_json(config, "factors")),
            *("--seeds", config["seed"], *config["seeds"]),
            *("--samples", config["evaluation"]["bootstrap_samples"]),
            *("--score-normalization", config["evaluation"]["score_normalization"]),
        ],
    ),
    "exposures": dict(  # accuracy by exposures of a word; the exposures that each modality needs
        label="Exposures needed",
        in_paper="not there",
        shown=bool(TASKS),
        input=dict(exposures=f"{RESULTS}/evaluation/exposures.csv"),
        flags=lambda wildcards, input: [
            *("--exposures", input.exposures),
        ],
    ),
    "reach": dict(  # accuracy by the distance between two words; how far back each modality sees
        label="Reach",
        in_paper="not there",
        shown=bool(TASKS),
        input=dict(reach=f"{RESULTS}/evaluation/reach.csv"),
        flags=lambda wildcards, input: [
            *("--reach", input.reach),
        ],
    ),
    "groups": dict(  # scores by phenomenon, frequency band, topic: the labels of the items
        label="Groups of items",
        in_paper="not there",
        shown=bool(TASKS),
        input=dict(groups=f"{RESULTS}/evaluation/groups.csv"),
        flags=lambda wildcards, input: [
            *("--groups", input.groups),
            *("--modalities", *SYSTEMS),
            *("--tasks", *TASKS, *TEXT_TASKS),
        ],
    ),
    "crossing": dict(  # factors added in more than one order: interactions and Shapley values
        label="Crossed factors",
        in_paper="not there",
        shown=bool(config["crossings"]),
        input=dict(crossing=f"{RESULTS}/evaluation/crossing.csv"),
        flags=lambda wildcards, input: [
            *("--crossing", input.crossing),
        ],
    ),
    "ladder": dict(  # a factor's change divided into steps
        label="Ladders",
        in_paper="not there",
        shown=bool(config["ladders"]),
        input=dict(ladder=f"{RESULTS}/evaluation/ladder.csv"),
        flags=lambda wildcards, input: [
            *("--ladder", input.ladder),
        ],
    ),
    "dials": dict(  # tasks, exposures needed and bits by the dose of one cause
        label="Dials",
        in_paper="not there",
        shown=bool(config["dials"]),
        input=dict(dials=f"{RESULTS}/evaluation/dials.csv"),
        flags=lambda wildcards, input: [
            *("--dials", input.dials),
        ],
    ),
    "controls": dict(  # scores of untrained models and of shuffled durations
        label="Controls",
        in_paper="not there",
        shown=bool(TASKS),
        input=dict(controls=f"{RESULTS}/evaluation/controls.csv"),
        flags=lambda wildcards, input: [
            *("--controls", input.controls),
            *("--modalities", *MODALITIES),
        ],
    ),
    "bit_breakdown": dict(  # bits per second by position in the word, silence and repeated frames
        label="Bit breakdown",
        in_paper="not there",
        shown=True,
        input=dict(bit_breakdown=expand(f"{RESULTS}/evaluation/bit_breakdown/{{modality}}.csv", modality=MODALITIES)),
        flags=lambda wildcards, input: [
            *("--bit-breakdown", input.bit_breakdown[0].rsplit("/", 1)[0]),
            *("--modalities", *MODALITIES),
        ],
    ),
    "shared_context": dict(  # frames that differ where both sides of an item are the same sound
        label="Shared contexts",
        in_paper="not there",
        shown=bool(FRAMED and (config["corpus"]["dev_tasks"] or (SCRIPTS and "topic-storycloze" in TASKS))),
        input=dict(table=f"{TOKENS}/shared_context.csv"),
        flags=lambda wildcards, input: ["--shared-context", input.table],
    ),
    "overlap": dict(  # speakers, books and texts of items that are in train too; the world's texts never are
        label="Overlap with train",
        in_paper="not there",
        shown=bool(TASKS and not SCRIPTS),
        input=dict(table=f"{CORPUS}/overlap.csv"),
        flags=lambda wildcards, input: ["--overlap", input.table],
    ),
    "continuation": dict(  # perplexity, signs of degenerate text, errors of the recogniser
        label="Continuations",
        in_paper="part of Table 4",
        shown=WITH_CONTINUATION,
        input=dict(
            summary=f"{RESULTS}/continuation/summary.csv",
            recogniser=f"{RESULTS}/continuation/recogniser.csv",
        ),
        flags=lambda wildcards, input: [
            *("--summary", input.summary),
            *("--recogniser", input.recogniser),
            *("--modalities", *CONTINUED),
        ],
    ),
    "dropped": dict(  # cuts and items that were left out, by stage and reason
        label="Dropped",
        in_paper="not there",
        shown=True,
        input=dict(
            corpus=f"{CORPUS}/dropped.csv",
            alignment=f"{ALIGNMENT}/dropped.csv",
            evaluation=DROPPED,
        ),
        flags=lambda wildcards, input: [
            *("--corpus", input.corpus),
            *("--alignment", input.alignment),
            *("--evaluation", input.evaluation),
        ],
    ),
}
REPORT_TABLES = [name for name, table in TABLES.items() if table["shown"]]
REPORT_DIALS = [name for name in REPORT_TABLES if name in ("crossing", "ladder", "dials")]


rule tables:
    """All tables, and the summary page."""
    input:
        f"{RESULTS}/report/summary.html",
        expand(f"{RESULTS}/report/tables/{{table}}.{{form}}", table=REPORT_TABLES, form=["csv", "md", "tex", "html"]),
    localrule: True


for name, table in TABLES.items():

    rule:
        name:
            f"report_table_{name}"
        input:
            **table["input"],
        output:
            multiext(f"{RESULTS}/report/tables/{name}", ".csv", ".md", ".tex"),
            page=report(
                f"{RESULTS}/report/tables/{name}.html",
                category="2. Tables",
                labels={"table": table["label"], "in the paper": table["in_paper"]},
                caption=f"../report/{name}.rst",
            ),
        log:
            f"{RESULTS}/logs/report/table_{name}.log",
        benchmark:
            f"{RESULTS}/benchmarks/report/table_{name}.tsv"
        conda:
            "../../envs/core.yaml"
        params:
            code=code_of(f"scripts.report.table_{name}"),
            module=f"scripts.report.table_{name}",
            flags=table["flags"],
            folder=lambda wildcards, output: output.page.rsplit("/", 1)[0],
        shell:
            "python -m {params.module} {params.flags:q} --output {params.folder} 2>&1 | tee {log}"
