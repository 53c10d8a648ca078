"""Targets that people ask for by name. `snakemake` alone means `report`."""


rule corpus:
    """Speech, its texts and the zero-shot tasks, as Lhotse cuts."""
    localrule: True
    input:
        [f"{RESULTS}/corpus/cuts/{split}/{shard}.jsonl.gz" for split in SPLITS for shard in SHARDS[split]],
        [f"{RESULTS}/corpus/tasks/{task}.jsonl.gz" for task in TASKS],
        f"{RESULTS}/corpus/lexicon.txt",
        f"{RESULTS}/corpus/dropped.csv",


rule alignment:
    """Phones and words with their times."""
    localrule: True
    input:
        [f"{RESULTS}/alignment/cuts/{split}/{shard}.jsonl.gz" for split in SPLITS for shard in SHARDS[split]],
        [f"{RESULTS}/alignment/tasks/{task}.jsonl.gz" for task in TASKS],
        f"{RESULTS}/alignment/dropped.csv",


rule units:
    """HuBERT units at 50 Hz and how well they name phones."""
    localrule: True
    input:
        [f"{RESULTS}/units/{split}/{shard}.npz" for split in SPLITS for shard in SHARDS[split]],
        [f"{RESULTS}/units/tasks/{task}.npz" for task in TASKS],
        f"{RESULTS}/units/quality.csv",


rule tokens:
    """Every modality's tokenizer and token streams."""
    localrule: True
    input:
        expand(f"{RESULTS}/tokens/{{modality}}/{{split}}.bin", modality=MODALITIES, split=SPLITS),
        expand(f"{RESULTS}/tokens/{{modality}}/tasks/{{task}}.bin", modality=MODALITIES, task=TASKS),
        expand(f"{RESULTS}/tokens/{{modality}}/stats.json", modality=MODALITIES),


rule lm:
    """One language model per modality."""
    localrule: True
    input:
        expand(f"{RESULTS}/lm/{{modality}}/model", modality=MODALITIES),


rule evaluation:
    """Scores, baselines, bits, layers and scaling of every model."""
    localrule: True
    input:
        f"{RESULTS}/evaluation/summary.csv",
        expand(f"{RESULTS}/evaluation/layers/{{task}}/{{modality}}.csv", modality=MODALITIES, task=TASKS),
        expand(f"{RESULTS}/evaluation/scaling/{{task}}/{{modality}}.csv", modality=MODALITIES, task=TASKS),


rule all:
    """Everything that the report shows."""
    localrule: True
    input:
        rules.tables.input,
        rules.figures.input,


rule report:
    """The HTML report: `snakemake --report` over everything that stands, with the configuration it stands on."""
    default_target: True
    localrule: True
    input:
        rules.all.input,
        captions=sorted(str(path) for path in Path(workflow.basedir, "workflow/report").glob("*.rst")),
    output:
        html=f"{RESULTS}/report.html",
    params:
        config=as_json(config),
        resolved=f"{RESULTS}/config.json",
        aside=f"{RESULTS}/.aside.report.html",
    log:
        f"{RESULTS}/logs/report/report.log",
    conda:
        "../../envs/core.yaml"
    shell:
        # --nolock: the workflow that runs this rule holds the lock, and waits for it.
        "printf '%s\\n' {params.config:q} > {params.resolved}"
        " && snakemake"
        " --nolock"
        " --configfile {params.resolved}"
        " --report {params.aside}"
        " -- all"
        " > {log} 2>&1"
        " && mv {params.aside} {output.html}"
