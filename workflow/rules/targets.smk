"""Targets of the command line; the default, `report`, is in the Snakefile."""


rule corpus:
    """Speech, its texts and the zero-shot tasks, as Lhotse cuts."""
    input:
        [f"{CORPUS}/cuts/{split}/{shard}.jsonl.gz" for split in SPLITS for shard in SHARDS[split]],
        [f"{CORPUS}/tasks/{task}.jsonl.gz" for task in TASKS],
        f"{CORPUS}/lexicon.txt",
        [f"{CORPUS}/lexicon_tasks.txt"] * bool(TASKS),
        f"{CORPUS}/dropped.csv",
    localrule: True


rule alignment:
    """Phones and words with their start times and durations."""
    input:
        [f"{ALIGNMENT}/cuts/{split}/{shard}.jsonl.gz" for split in SPLITS for shard in SHARDS[split]],
        [f"{ALIGNMENT}/tasks/{task}.jsonl.gz" for task in TASKS],
        f"{ALIGNMENT}/dropped.csv",
        f"{ALIGNMENT}/guessed.csv",
    localrule: True


rule units:
    """HuBERT units at 50 Hz and their phone information."""
    input:
        [f"{UNITS}/{split}/{shard}.npz" for split in SPLITS for shard in SHARDS[split]],
        [f"{UNITS}/tasks/{task}.npz" for task in TASKS],
        f"{UNITS}/quality.csv",
    localrule: True


rule unit_quality:
    """Phone and speaker information of the units, and of those of units.sweep (other layers, numbers of clusters)."""
    input:
        expand(
            f"{RESULTS}/report/figures/{{figure}}.{{form}}",
            figure=[name for name, figure in FIGURES.items() if figure.get("target") == "unit_quality"],
            form=[*FORMATS, "csv"],
        ),
    localrule: True


rule tokens:
    """Every modality's tokenizer and token streams."""
    input:
        expand(f"{TOKENS}/{{modality}}/{{split}}.bin", modality=MODALITIES, split=SPLITS),
        expand(f"{TOKENS}/{{modality}}/tasks/{{task}}.bin", modality=MODALITIES, task=TASKS),
        expand(f"{TOKENS}/{{modality}}/stats.json", modality=MODALITIES),
    localrule: True


rule lm:
    """One language model per modality."""
    input:
        expand(f"{RESULTS}/lm/{{modality}}/model", modality=MODALITIES),
    localrule: True


rule evaluation:
    """Scores, baselines, bits, layers and scaling of every model."""
    input:
        f"{RESULTS}/evaluation/summary.csv",
        f"{RESULTS}/evaluation/groups.csv",
        DROPPED,
        [f"{RESULTS}/evaluation/{table}.csv" for table in ("controls", "exposures", "reach", "schedules")] * bool(TASKS),
        expand(
            f"{RESULTS}/evaluation/{{analysis}}/{{task}}/{{modality}}.csv",
            analysis=["layers", "tuned_lens"],
            modality=MODALITIES,
            task=TASKS,
        ),
        expand(f"{RESULTS}/evaluation/bit_breakdown/{{modality}}.csv", modality=MODALITIES),
        expand(f"{RESULTS}/evaluation/scaling/{{task}}/{{modality}}.csv", modality=MODALITIES, task=TASKS),
    localrule: True


if REPORT_DIALS:

    rule dials:
        """Crossed factors, ladders and dials, with what they need of the earlier stages."""
        input:
            expand(f"{RESULTS}/report/tables/{{table}}.html", table=REPORT_DIALS),
            expand(
                f"{RESULTS}/report/figures/{{figure}}.{{form}}",
                figure=[name for name in REPORT_FIGURES if name == "ladder" or name.startswith("dial_")],
                form=[*FORMATS, "csv"],
            ),
        localrule: True

else:

    rule dials:
        """Says that the configuration has none."""
        log:
            f"{RESULTS}/logs/dials.log",
        localrule: True
        conda:
            "../../envs/core.yaml"
        shell:
            "echo 'config: crossings, ladders and dials are empty; take workflow/configs/dials-quick.yaml or name"
            " some (docs/dials.md)' | tee {log} >&2; exit 1"


rule continuation:
    """Continuations of the same prompts by each model, and their judgement."""
    input:
        [f"{RESULTS}/continuation/{table}.csv" for table in ("summary", "recogniser")] * WITH_CONTINUATION,
    localrule: True


rule all:
    """All results of the report, and the list of words with guessed pronunciations."""
    input:
        rules.continuation.input,
        [f"{RESULTS}/report/listen.html"] * WITH_CONTINUATION,
        rules.tables.input,
        rules.figures.input,
        f"{ALIGNMENT}/guessed.csv",
    localrule: True


for name in [*SEED_REPLICAS, *SHARE_MODELS, *MODALITIES]:

    rule:
        name:
            f"modality_{name}"
        input:
            f"{RESULTS}/lm/{name}/model",
            expand(f"{RESULTS}/evaluation/{{task}}/{name}.csv", task=TASKS),
            expand(f"{RESULTS}/evaluation/{{analysis}}/{{task}}/{name}.csv", analysis=["layers", "scaling"], task=TASKS),
        localrule: True


for name in TASKS:

    rule:
        name:
            f"task_{name}"
        input:
            expand(f"{RESULTS}/evaluation/{name}/{{modality}}.csv", modality=MODALITIES),
            expand(
                f"{RESULTS}/evaluation/{{analysis}}/{name}/{{modality}}.csv",
                analysis=["baselines", "layers", "scaling"],
                modality=MODALITIES,
            ),
        localrule: True
