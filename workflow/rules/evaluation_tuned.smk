"""The layer analysis with fitted maps, beside the plain one; asked for by `tuned_layers`, not part of the report.

In: tokens/{modality}, alignment/tasks and lm/{modality}/model. Out: evaluation/tuned/{task}/{modality}.csv, in the form
of evaluation/layers.
"""

if TASKS:

    rule evaluation_tuned:
        """Accuracy of every layer through a small affine map fitted on dev, final norm and output head."""
        input:
            pairs=expand(f"{ALIGNMENT}/tasks/{{task}}.jsonl.gz", task=TASKS),
            tokens=expand(
                f"{TOKENS}/{{modality}}/tasks/{{task}}.bin",
                task=TASKS,
                allow_missing=True,
            ),
            dev=f"{TOKENS}/{{modality}}/dev.bin",
            model=f"{RESULTS}/lm/{{modality}}/model",
        output:
            layers=expand(
                f"{RESULTS}/evaluation/tuned/{{task}}/{{modality}}.csv",
                task=TASKS,
                allow_missing=True,
            ),
        log:
            f"{RESULTS}/logs/evaluation/tuned/{{modality}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/evaluation/tuned/{{modality}}.tsv"
        conda:
            "../../envs/core.yaml"
        threads: 1
        resources:
            mem_mb=asks("evaluation", "mem_mb"),
            runtime=asks("evaluation", "minutes"),
            gpu=config["cluster"]["gpus"]["evaluation"],
        params:
            code=code_of("scripts.evaluation.tuned"),
            tasks=TASKS,
            config=as_json(
                config["evaluation"],
                "decide_by",
                "bootstrap_samples",
                "batch_tokens",
                "threads",
            ),
            seed=config["seed"],
        shell:
            "python -m scripts.evaluation.tuned"
            " --modality {wildcards.modality}"
            " --model {input.model}"
            " --dev {input.dev}"
            " --tasks {params.tasks}"
            " --items {input.pairs}"
            " --tokens {input.tokens}"
            " --out {output.layers}"
            " --config {params.config:q}"
            " --seed {params.seed}"
            " 2>&1 | tee {log}"


rule tuned_layers:
    """Every modality's layers through fitted maps."""
    input:
        expand(f"{RESULTS}/evaluation/tuned/{{task}}/{{modality}}.csv", task=TASKS, modality=MODALITIES),
    localrule: True
