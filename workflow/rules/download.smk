"""Other people's data: in come the hosts of resources/datasets.yaml, out go files below download.folder.

A dataset is one job and one marker. What it downloads is not declared as output, for Snakemake deletes outputs
before a job: 3 TB are not to be fetched again because a key changed. Nothing here asks the network before a job runs.
"""

from scripts.download.registry import find, read_registry

DOWNLOADS = config["download"]["folder"]

try:
    DATASETS = read_registry(config["download"]["hosts"])
    for name in config["download"]["datasets"]:
        find(DATASETS, name)
except ValueError as error:
    raise WorkflowError(str(error)) from None


def downloaded(name):
    """Input of a rule that needs a dataset: the marker that it is complete."""
    find(DATASETS, name)
    return f"{DOWNLOADS}/.state/{name}.done"


def download_place(name):
    """Where a complete dataset stands: its file, or the folder of its archive's content."""
    return str(find(DATASETS, name).place(Path(DOWNLOADS)))
