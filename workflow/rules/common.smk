"""What every stage's rules name: the checked configuration, the folder of results, shards and tasks."""

import time

from snakemake.path_modifier import PathModifier

from scripts.alignment.config import resolved_oov
from scripts.common.config import as_json, part_json
from scripts.common.files import check_writable, write_json
from scripts.common.stages import STAGES
from scripts.download.hub_names import hub_record, is_hub_name
from scripts.lm.data_shares import share_models
from scripts.lm.seed_replicas import replica_name, seed_replicas
from scripts.lm.starts import start_of
from scripts.project import display
from scripts.project.check import check, task_names
from scripts.project.defaults import as_given, complete
from scripts.project.ending import ending
from scripts.project.imports import code_of
from scripts.project.paths import check_results, hide_dashes
from scripts.project.results_format import FILE, check_format, write_format
from scripts.project.share import SHARABLE, check_shared, shared_stages
from scripts.project.time_left import Job, expected_times

IMPORTED = not workflow.modifier.is_main_snakefile()  # as a module of another workflow
# The folder of all experiments. A module's prefix is put before it here, once and for all: Snakemake would put it
# before inputs and outputs alone, also before the user's, and not before the paths in params.
EXPERIMENTS = workflow.modifier.path_modifier.replace_prefix(workflow.pathvars.get("results"))
workflow.modifier.path_modifier = PathModifier(None, None, workflow)
ELSEWHERE = IMPORTED or HERE != Path() or EXPERIMENTS != "results"
# What a Snakemake needs that a job starts: this workflow by itself, with its results where they are here.
ALONE = [
    "--rerun-incomplete",  # as in profiles/default, which another folder does not have
    "--snakefile",
    str(HERE / "workflow/Snakefile"),
    "--config",
    f"pathvars={{results: {EXPERIMENTS}}}",
] * ELSEWHERE

if not IMPORTED:

    report: "../report/workflow.rst"


try:
    check_results(EXPERIMENTS)
    config = complete(config, HERE)
    check(config)
    hide_dashes(config)
    config["alignment"]["oov"] = resolved_oov(config["alignment"]["oov"], config["corpus"]["source"])
    RESULTS = f"{EXPERIMENTS}/{config['name']}"
    check_shared(config, Path(EXPERIMENTS))
    check_writable(RESULTS)
    if (
        not ELSEWHERE or Path(RESULTS, FILE).exists()
    ):  # a module's `onstart` writes it where the other workflow calls it
        check_format(Path(RESULTS))
except ValueError as error:
    raise WorkflowError(str(error)) from None

# A shared stage stands in another experiment's folder, under the paths and parameters that it has there, so that
# Snakemake knows its files as made; logs and benchmarks stay with the experiment that ran the job.
CORPUS, ALIGNMENT, UNITS, TOKENS = (
    f"{EXPERIMENTS}/{shared_stages(config).get(stage, config['name'])}/{stage}" for stage in SHARABLE
)
# The configuration without what no result depends on.
RECORDED = {key: config[key] for key in config if key not in ("cluster", "plan", "compare", "publish")}
SPLITS = ["train", "dev"]
PROMPTS = "prompts"  # a split of one shard, aligned and encoded like the others where a rule asks for it
SHARDS = {split: [str(i) for i in range(config["corpus"]["shards"][split])] for split in SPLITS} | {PROMPTS: ["0"]}
TASKS = task_names(config)
MODALITIES = list(config["modalities"])
# What was made elsewhere: <stage>_external.smk imports it. Alignments or units of a folder take the place of computed
# ones; tokens are those of some modalities, by name, beside others that are computed.
EXTERNAL = {
    "alignment": config["alignment"]["external"],
    "units": config["units"]["external"] or (f"{UNITS}/command" if config["units"]["command"] else None),
    "tokens": {name: line["external"] for name, line in config["modalities"].items() if line["source"] == "tokens"},
}
SEED_REPLICAS = seed_replicas(config)
SHARE_MODELS = share_models(config)
AUDIO_ROOT = {
    "world": f"{CORPUS}/audio",
    "manifest": config["corpus"]["manifest"]["audio_root"],
    "libriheavy": config["corpus"]["libriheavy"]["audio_root"] or config["download"]["folder"],
    "librispeech": config["corpus"]["librispeech"]["audio_root"] or config["download"]["folder"],
    "folder": config["corpus"]["folder"]["audio_root"],
}[config["corpus"]["source"]]


onstart:
    write_format(Path(RESULTS))
    write_json(f"{RESULTS}/config.json", config)  # what others are held to that share stages with this one
    if display.current:
        pending = [
            Job(workflow.dag.jobid(job), job.rule.name, job.threads, job.benchmark and Path(job.benchmark))
            for job in workflow.dag.needrun_jobs()
        ]
        display.current.expect(expected_times(pending, config, Path(RESULTS)), workflow.cores or 1)


BEGUN = time.time()


onsuccess:
    for line in ending(Path(RESULTS), BEGUN):
        display.say_at_end(line)


def training_seed(wildcards):
    """The seed that a modality's model is trained with: a seed replica has its own."""
    return SEED_REPLICAS[wildcards.modality].seed if wildcards.modality in SEED_REPLICAS else config["seed"]


# Test sets in a published layout, by task: their entry in the configuration; TASK_ROOTS is where their audio is
# (corpus_published.smk fills it: a dataset's place is known to download.smk).
PUBLISHED = {
    name: task
    for name, task in config["corpus"][config["corpus"]["source"]]["tasks"].items()
    if config["corpus"]["source"] != "world" and not isinstance(task, str)
}
TASK_ROOTS = {}


def audio_root(wildcards):
    """The folder that the audio of a job's cuts is named from: prompts and published test sets have their own."""
    if wildcards.get("split") == PROMPTS:
        return f"{CORPUS}/audio"
    return TASK_ROOTS.get(wildcards.get("task"), AUDIO_ROOT)


def local_files(source):
    """A file, or the files of a folder, by name: a rule's input, so that what is put in their place is noticed."""
    place = Path(source)
    if place.is_dir():
        return sorted(str(path) for path in place.iterdir() if path.is_file())
    return [source] if place.is_file() else []


def model_files(source):
    """The files of a model, by name, or the record of its download from the hub: what a job that loads it waits for."""
    return [hub_record(config["download"]["folder"], source)] if is_hub_name(source) else local_files(source)


def literal(value):
    """A parameter as it is: the braces of a command that the configuration names are no wildcards."""
    return lambda wildcards: value


def start_folder(wildcards):
    """The folder of the model that a training starts from, in a list; empty: it starts from random weights."""
    start = start_of(wildcards.modality, config)
    if start is None:
        return []
    name, in_run = start
    return [f"{RESULTS}/lm/{name}/model" if in_run else name]


def start_files(wildcards):
    """What of it a training waits for: the model of another modality, or the files of a folder made elsewhere."""
    start = start_of(wildcards.modality, config)
    if start is None or start[1]:
        return start_folder(wildcards)
    return local_files(start[0])


def environment(stage, plain="core"):
    """The conda environment of a step that uses GPUs where `cluster.gpus` asks for them, and does without elsewhere."""
    return f"../../envs/{'gpu' if config['cluster']['gpus'][stage] else plain}.yaml"


# What stands before a training's command. In a job of Slurm the training becomes a step of its own: where Slurm tracks
# processes by cgroups, scancel, preemption and the warning before the time limit reach the first process of a step
# only. Where it does not, they reach the shell and `tee` as well, which must outlive the training's last state.
OWN_STEP = (
    "trap '' TERM; $(command -v srun > /dev/null && echo ${{SLURM_JOB_ID:+srun --overlap --nodes=1 --ntasks=1"
    " --cpus-per-task=${{SLURM_CPUS_PER_TASK:-{threads}}} --cpu-bind=none --mem=0 --input=none}}) "
)


wildcard_constraints:
    split="|".join([*SPLITS, PROMPTS]),
    shard=r"\d+",
    task="|".join(TASKS) or "no-task",
    modality="|".join([*SEED_REPLICAS, *SHARE_MODELS, *MODALITIES]),


def scores_of(modalities):
    """The inputs of a table that compares these modalities, by their models of every seed."""
    models = list(dict.fromkeys(modalities))
    models += [replica_name(name, seed) for seed in config["seeds"] for name in models]
    return dict(
        scores=expand(f"{RESULTS}/evaluation/{{task}}/{{model}}.csv", task=TASKS, model=models),
        bits=expand(f"{RESULTS}/evaluation/utterance_bits/{{model}}.csv", model=models),
        dropped=DROPPED,
    )
