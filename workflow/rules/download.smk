"""Other people's data: in come the hosts of resources/datasets.yaml, out go files below download.folder.

A dataset is one job and one marker. What it downloads is not declared as output, for Snakemake deletes outputs
before a job: 3 TB are not to be fetched again because a key changed. The job itself knows what stands and what is
missing. Nothing here asks the network before a job runs.
"""

from scripts.download.registry import Downloads

try:
    DOWNLOADS = Downloads.from_section(config["download"])
except ValueError as error:
    raise WorkflowError(str(error)) from None

# For the rules that need a dataset: downloaded("tsc") is an input, download_place("tsc") where its data stands then.
downloaded = DOWNLOADS.marker
download_place = DOWNLOADS.place


wildcard_constraints:
    dataset="|".join(DOWNLOADS.datasets),


rule download_dataset:
    """Fetch one dataset; what is there already is not fetched again."""
    input:
        registry="resources/datasets.yaml",
    output:
        done=downloaded("{dataset}"),
    log:
        f"{RESULTS}/logs/download/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/download/{{dataset}}.tsv"
    localrule: True  # nodes of a cluster often have no way out
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.download.fetch"),
        config=as_json(config["download"]),
    shell:
        "python -m scripts.download.fetch"
        " --dataset {wildcards.dataset}"
        " --done {output.done}"
        " --config {params.config:q}"
        " 2>&1 | tee {log}"


rule download:
    """Every dataset of download.datasets."""
    input:
        [downloaded(name) for name in DOWNLOADS.chosen],
    localrule: True


rule download_check:
    """Read every byte of every dataset of download.datasets, and mend what is damaged."""
    log:
        f"{RESULTS}/logs/download/check.log",
    localrule: True
    conda:
        "../../envs/core.yaml"
    params:
        datasets=DOWNLOADS.chosen,
        markers=downloaded("$name"),
        config=as_json(config["download"]),
    shell:
        "for name in {params.datasets}; do"
        " python -m scripts.download.fetch"
        " --check"
        " --dataset $name"
        " --done {params.markers}"
        " --config {params.config:q}"
        " || exit 1; done 2>&1 | tee {log}"


for name in DOWNLOADS.datasets:

    rule:
        name:
            f"download_{name}"
        input:
            downloaded(name),
