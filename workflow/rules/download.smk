"""Download published datasets from the hosts of resources/datasets.yaml to files below download.folder.

A dataset is one job with one marker. The downloaded files are not declared as outputs, because Snakemake deletes
outputs before it runs a job: 3 TB must not be downloaded again because a key changed. The job itself checks which files
are complete. No rule uses the network before its job runs.
"""

from scripts.download.registry import Downloads

try:
    DOWNLOADS = Downloads.from_section(config["download"])
except ValueError as error:
    raise WorkflowError(str(error)) from None

# For rules that need a dataset: downloaded("tsc") is their input, download_target("tsc") is the path of its data.
downloaded = DOWNLOADS.marker
download_target = DOWNLOADS.target


wildcard_constraints:
    dataset="|".join(DOWNLOADS.datasets),


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
