"""publish: models, tokens and quantizer as folders ready for upload to a model or dataset hub. Nothing is uploaded.

In: lm/{modality}/model, tokens/{modality}/, units/, evaluation/summary.csv, report/tables/factors.csv.
Out: publish/models/{modality}/, publish/tokens/{modality}/, publish/units/, and publish/README.md with SHA256SUMS.
"""

import json

from scripts.project.published import origin

PUBLISH = f"{RESULTS}/publish"
# Of imported units only the tokens are published, since there is no quantizer.
WITH_QUANTIZER = EXTERNAL["units"] is None and any(line["source"] == "units" for line in config["modalities"].values())

try:
    ORIGIN, NOT_PUBLISHED = origin(config), ""
except ValueError as error:
    ORIGIN, NOT_PUBLISHED = "", str(error)

if NOT_PUBLISHED:

    rule publish:
        """Ends with the names of the keys that are missing."""
        log:
            f"{RESULTS}/logs/publish.log",
        localrule: True
        conda:
            "../../envs/core.yaml"
        params:
            why=NOT_PUBLISHED,
        shell:
            "echo {params.why:q} | tee {log} >&2; exit 1"

else:

    rule publish_model:
        """A trained model with its results, data and licence in its card."""
        input:
            model=f"{RESULTS}/lm/{{modality}}/model",
            summary=f"{RESULTS}/evaluation/summary.csv",
        output:
            directory(f"{PUBLISH}/models/{{modality}}"),
        log:
            f"{RESULTS}/logs/publish/model/{{modality}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/publish/model/{{modality}}.tsv"
        conda:
            "../../envs/core.yaml"
        params:
            code=code_of("scripts.report.publish_model"),
            origin=literal(ORIGIN),
        shell:
            "python -m scripts.report.publish_model"
            " --model {input.model}"
            " --summary {input.summary}"
            " --modality {wildcards.modality}"
            " --origin {params.origin:q}"
            " --output {output}"
            " 2>&1 | tee {log}"

    rule publish_tokens:
        """A modality's token sequences and tokenizer."""
        input:
            splits=[f"{TOKENS}/{{modality}}/{split}.{kind}" for split in SPLITS for kind in ("bin", "idx.npz")],
            tasks=[f"{TOKENS}/{{modality}}/tasks/{task}.{kind}" for task in TASKS for kind in ("bin", "idx.npz")],
            tokenizer=f"{TOKENS}/{{modality}}/tokenizer",
            stats=f"{TOKENS}/{{modality}}/stats.json",
        output:
            directory(f"{PUBLISH}/tokens/{{modality}}"),
        log:
            f"{RESULTS}/logs/publish/tokens/{{modality}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/publish/tokens/{{modality}}.tsv"
        conda:
            "../../envs/core.yaml"
        params:
            code=code_of("scripts.report.publish_tokens"),
            origin=literal(ORIGIN),
        shell:
            "python -m scripts.report.publish_tokens"
            " --splits {input.splits}"
            " --tasks {input.tasks}"
            " --tokenizer {input.tokenizer}"
            " --stats {input.stats}"
            " --modality {wildcards.modality}"
            " --origin {params.origin:q}"
            " --output {output}"
            " 2>&1 | tee {log}"

    if WITH_QUANTIZER:

        rule publish_units:
            """The encoder, if it was trained here, with k-means' centroids and the units' quality."""
            input:
                encoder=f"{UNITS}/encoder",
                kmeans=[f"{UNITS}/kmeans.npy", f"{UNITS}/kmeans.json"],
                quality=f"{UNITS}/quality.csv",
            output:
                directory(f"{PUBLISH}/units"),
            log:
                f"{RESULTS}/logs/publish/units.log",
            benchmark:
                f"{RESULTS}/benchmarks/publish/units.tsv"
            conda:
                "../../envs/core.yaml"
            params:
                code=code_of("scripts.report.publish_units"),
                encoder=literal(
                    ["--encoder", f"{UNITS}/encoder", "--trained-here"]
                    if config["units"]["encoder"]["source"] == "pretrain"
                    else ["--encoder", config["units"]["encoder"]["source"]]
                ),
                origin=literal(ORIGIN),
            shell:
                "python -m scripts.report.publish_units"
                " --kmeans {input.kmeans}"
                " --quality {input.quality}"
                " {params.encoder:q}"
                " --origin {params.origin:q}"
                " --output {output}"
                " 2>&1 | tee {log}"

    PUBLISH_FOLDERS = [
        *(f"models/{modality}" for modality in MODALITIES),
        *(f"tokens/{modality}" for modality in MODALITIES),
        *["units"] * WITH_QUANTIZER,
    ]
    PUBLISH_FACTORS = [f"{RESULTS}/report/tables/factors.csv"] * bool(TASKS and config["factors"])
    PUBLISH_SCORES = [f"{RESULTS}/evaluation/summary.csv", *PUBLISH_FACTORS]

    rule publish:
        """Every published folder, with a page in front, scores, configuration and checksums."""
        input:
            folders=[f"{PUBLISH}/{folder}" for folder in PUBLISH_FOLDERS],
            factors=PUBLISH_FACTORS,
            scores=PUBLISH_SCORES,
        output:
            f"{PUBLISH}/README.md",
            f"{PUBLISH}/config.json",
            f"{PUBLISH}/SHA256SUMS",
            [f"{PUBLISH}/scores/{Path(table).name}" for table in PUBLISH_SCORES],
        log:
            f"{RESULTS}/logs/publish/index.log",
        benchmark:
            f"{RESULTS}/benchmarks/publish/index.tsv"
        conda:
            "../../envs/core.yaml"
        params:
            code=code_of("scripts.report.publish_index"),
            folders=PUBLISH_FOLDERS,
            root=subpath(output[0], parent=True),
            factors=["--factors"] * bool(PUBLISH_FACTORS),
            config=literal(json.dumps(as_given(RECORDED))),
            origin=literal(ORIGIN),
        shell:
            "python -m scripts.report.publish_index"
            " --folders {params.folders}"
            " --root {params.root}"
            " --scores {input.scores}"
            " {params.factors} {input.factors}"
            " --config {params.config:q}"
            " --origin {params.origin:q}"
            " 2>&1 | tee {log}"
