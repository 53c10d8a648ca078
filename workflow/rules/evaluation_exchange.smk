"""Import of external systems' score files, and export of ZeroSpeech 2021 submissions.

In: the files of evaluation.external_systems; sLM21 (gold.csv) and evaluation/{task}/{modality}.csv.
Out: evaluation/{task}/{system}.csv, in the format of our scores; evaluation/submission/{modality}/ (target `submission`).
"""

SUBMITTED = {
    task: entry["format"].removeprefix("slm21-")
    for task, entry in PUBLISHED.items()
    if entry["format"].startswith("slm21-")
}

if config["evaluation"]["external_systems"]:

    rule evaluation_external_systems:
        """The scores of an external system on a task, in the format of our scores."""
        input:
            pairs=f"{ALIGNMENT}/tasks/{{task}}.jsonl.gz",
            scores=lambda wildcards: config["evaluation"]["external_systems"][wildcards.system][wildcards.task],
        output:
            scores=f"{RESULTS}/evaluation/{{task}}/{{system}}.csv",
        log:
            f"{RESULTS}/logs/evaluation/external_systems/{{task}}/{{system}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/evaluation/external_systems/{{task}}/{{system}}.tsv"
        wildcard_constraints:
            system="|".join(config["evaluation"]["external_systems"]),
        conda:
            "../../envs/core.yaml"
        params:
            code=code_of("scripts.evaluation.external_systems"),
        shell:
            "python -m scripts.evaluation.external_systems"
            " --scores {input.scores:q}"
            " --items {input.pairs}"
            " --out {output.scores}"
            " 2>&1 | tee {log}"


if SUBMITTED:

    rule evaluation_submission:
        """A modality's scores of sLM21 as a ZeroSpeech 2021 submission folder."""
        input:
            pairs=expand(f"{ALIGNMENT}/tasks/{{task}}.jsonl.gz", task=SUBMITTED),
            scores=expand(
                f"{RESULTS}/evaluation/{{task}}/{{modality}}.csv",
                task=SUBMITTED,
                allow_missing=True,
            ),
        output:
            folder=directory(f"{RESULTS}/evaluation/submission/{{modality}}"),
        log:
            f"{RESULTS}/logs/evaluation/submission/{{modality}}.log",
        conda:
            "../../envs/core.yaml"
        params:
            code=code_of("scripts.evaluation.submission"),
            parts=lambda wildcards: [
                as_json(
                    {
                        "kind": kind,
                        "split": PUBLISHED[task]["split"],
                        "folder": TASK_ROOTS[task],
                        "items": f"{ALIGNMENT}/tasks/{task}.jsonl.gz",
                        "scores": f"{RESULTS}/evaluation/{task}/{wildcards.modality}.csv",
                    }
                )
                for task, kind in SUBMITTED.items()
            ],
            score_normalization=config["evaluation"]["score_normalization"],
            meta=as_json(config["evaluation"]["submission"]),
        shell:
            "python -m scripts.evaluation.submission"
            " --modality {wildcards.modality}"
            " --parts {params.parts:q}"
            " --score-normalization {params.score_normalization}"
            " --meta {params.meta:q}"
            " --out {output.folder}"
            " 2>&1 | tee {log}"

    rule submission:
        """The submissions of all modalities."""
        input:
            expand(f"{RESULTS}/evaluation/submission/{{modality}}", modality=MODALITIES),
        localrule: True
