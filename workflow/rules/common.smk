"""What every stage's rules name: the checked configuration, the folder of results, shards and tasks."""

import sys

from snakemake.exceptions import WorkflowError

# Steps run as `python -m scripts.<stage>.<step>` from the repository's root; so do these imports.
sys.path.insert(0, workflow.basedir)

from scripts.common.config import as_json, check, task_names
from scripts.common.files import check_writable
from scripts.common.imports import module_files


report: "../report/workflow.rst"


try:
    check(config)
    check_writable(f"results/{config['name']}")
except ValueError as error:
    raise WorkflowError(str(error)) from None

RESULTS = f"results/{config['name']}"
SPLITS = ["train", "dev"]
SHARDS = {split: [str(i) for i in range(config["corpus"]["shards"][split])] for split in SPLITS}
TASKS = task_names(config)
MODALITIES = list(config["modalities"])
AUDIO_ROOT = {
    "world": f"{RESULTS}/corpus/audio",
    "manifest": config["corpus"]["manifest"]["audio_root"],
}[config["corpus"]["source"]]


wildcard_constraints:
    split="|".join(SPLITS),
    shard=r"\d+",
    task="|".join(TASKS) or "no-task",
    modality="|".join(MODALITIES),
