"""Download published datasets from the hosts of resources/datasets.yaml to files below download.folder.

A dataset is one job with one marker. The downloaded files are not declared as outputs, because Snakemake deletes
outputs before it runs a job: 3 TB must not be downloaded again because a key changed. The job itself checks which files
are complete. No rule uses the network before its job runs.
"""

from scripts.download.hub_names import hub_models, hub_name
from scripts.download.registry import Downloads

try:
    DOWNLOADS = Downloads.from_section(config["download"])
except ValueError as error:
    raise WorkflowError(str(error)) from None

# For rules that need a dataset: downloaded("tsc") is their input, download_target("tsc") is the path of its data.
downloaded = DOWNLOADS.marker
download_target = DOWNLOADS.target
# The registry's entry of the recogniser's weights; None: a path, Kaldi, or a Whisper that the job itself fetches.
WHISPER = next((name for name in DOWNLOADS.datasets if name == f"whisper-{config['continuation']['recogniser']}"), None)


wildcard_constraints:
    dataset="|".join(DOWNLOADS.datasets),
    hub_model=r"[\w.-]+",


rule download_dataset:
    """Download one dataset unless it is complete."""
    input:
        registry=str(HERE / "resources/datasets.yaml"),
    output:
        done=downloaded("{dataset}"),
    log:
        f"{RESULTS}/logs/download/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/download/{{dataset}}.tsv"
    localrule: True  # compute nodes of a cluster often have no internet access
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.download.fetch"),
        config=as_json(config["download"]),
    shell:
        "python -m scripts.download.fetch"
        " --dataset {wildcards.dataset}"
        " --done {output.done:q}"
        " --config {params.config:q}"
        " 2>&1 | tee {log}"


rule download_model:
    """Download a model from the hub into the cache that the jobs load it from, unless the cache has it."""
    output:
        done=hub_record(config["download"]["folder"], "{hub_model}"),
    log:
        f"{RESULTS}/logs/download/hub/{{hub_model}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/download/model/{{hub_model}}.tsv"
    localrule: True
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.download.hub_model"),
        model=lambda wildcards: hub_name(wildcards.hub_model),
        spare_gb=config["download"]["spare_gb"],
    shell:
        "python -m scripts.download.hub_model"
        " --model {params.model:q}"
        " --spare-gb {params.spare_gb}"
        " --done {output.done:q}"
        " 2>&1 | tee {log}"


rule prefetch:
    """Download every model that the configuration names, before the jobs that load them."""
    input:
        [
            hub_record(config["download"]["folder"], source)
            for source in hub_models(
                config, own_units=EXTERNAL["units"] is None and "units" not in shared_stages(config)
            )
        ],
        [downloaded(WHISPER)] if WHISPER and config["continuation"]["prompts"] else [],
    localrule: True


rule download:
    """Download every dataset of download.datasets."""
    input:
        [downloaded(name) for name in DOWNLOADS.chosen],
    localrule: True


rule download_check:
    """Verify every byte of every dataset of download.datasets and repair damage."""
    log:
        f"{RESULTS}/logs/download/check.log",
    localrule: True
    conda:
        "../../envs/core.yaml"
    params:
        datasets=DOWNLOADS.chosen,
        markers=str(Path(downloaded("a")).parent),
        config=as_json(config["download"]),
    shell:
        "for name in {params.datasets}; do"
        " python -m scripts.download.fetch"
        " --check"
        " --dataset $name"
        " --done {params.markers:q}/$name.done"
        " --config {params.config:q}"
        " || exit 1; done 2>&1 | tee {log}"


for name in DOWNLOADS.datasets:

    rule:
        name:
            f"download_{name}"
        input:
            downloaded(name),
