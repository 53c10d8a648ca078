"""Tokenize the corpus and the tasks in every modality.

In: alignment/cuts, alignment/tasks, corpus/lexicon.txt (phones), units/ (modalities of units only).
Out: tokens/{modality}/tokenizer, {train,dev}.bin and tasks/{task}.bin, each with its .idx.npz, and stats.json;
tokens/{phone_durations,unit_phones,speakers}.json, tables of train, where a modality needs them.

The jobs of a modality receive only the config keys that its tokens depend on, and only modalities of units read the
units: a change of a key reruns only the modalities that it affects.
"""

from scripts.alignment.lexicon import SPOKEN_NOISE
from scripts.corpus.pronounce import arpabet
from scripts.tokens.modality import from_config, to_json

DEFINITION = {
    name: from_config(name, line, config["tokens"], config["seed"]) for name, line in config["modalities"].items()
}
MODALITY = {name: to_json(modality) for name, modality in DEFINITION.items()}
SOURCE = {name: modality.source for name, modality in DEFINITION.items()}
TABLES_OF = {name: [f"{TOKENS}/{table}.json" for table in modality.tables] for name, modality in DEFINITION.items()}
# Inputs of a source besides the aligned cuts: a list of its symbols, and a folder of symbol streams.
INVENTORY = {
    "phones": f"{CORPUS}/lexicon.txt",
    "units": f"{UNITS}/kmeans.json",
}
STREAMS = {"units": [UNITS]}
# Phones of alignments that the lexicon may lack: spoken noise, or those of an external aligner.
EXTRA_PHONES = [SPOKEN_NOISE] if config["alignment"]["oov"] == "noise" else []
if EXTERNAL["alignment"]:
    EXTRA_PHONES = [*arpabet(), SPOKEN_NOISE]


if EXTERNAL["tokens"]:

    include: "tokens_external.smk"


for name in EXTERNAL["tokens"]:
    STREAMS[name] = [f"{TOKENS}/{name}/given"]
    INVENTORY[name] = f"{TOKENS}/{name}/external.json"
# An entry of the modality takes precedence over that of its source.
STREAMS_OF = {name: STREAMS.get(name, STREAMS.get(source, [])) for name, source in SOURCE.items()}
INVENTORY_OF = {
    name: INVENTORY.get(name, INVENTORY.get(modality.alphabet, [])) for name, modality in DEFINITION.items()
}


rule tokens_phone_durations:
    """Count the durations of every phone in train."""
    input:
        cuts=expand(f"{ALIGNMENT}/cuts/train/{{shard}}.jsonl.gz", shard=SHARDS["train"]),
    output:
        table=f"{TOKENS}/phone_durations.json",
    log:
        f"{RESULTS}/logs/tokens/phone_durations.log",
    benchmark:
        f"{RESULTS}/benchmarks/tokens/phone_durations.tsv"
    priority: 2  # as for units: short jobs before the training of language models
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.tokens.phone_durations"),
    shell:
        "python -m scripts.tokens.phone_durations" " --cuts {input.cuts}" " --output {output.table}" " 2>&1 | tee {log}"


rule tokens_unit_phones:
    """Count the phones of every unit's frames in train."""
    input:
        cuts=expand(f"{ALIGNMENT}/cuts/train/{{shard}}.jsonl.gz", shard=SHARDS["train"]),
        units=expand(f"{UNITS}/train/{{shard}}.npz", shard=SHARDS["train"]),
        kmeans=f"{UNITS}/kmeans.json",
    output:
        table=f"{TOKENS}/unit_phones.json",
    log:
        f"{RESULTS}/logs/tokens/unit_phones.log",
    benchmark:
        f"{RESULTS}/benchmarks/tokens/unit_phones.tsv"
    priority: 2  # as for units: short jobs before the training of language models
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.tokens.unit_phones"),
    shell:
        "python -m scripts.tokens.unit_phones"
        " --cuts {input.cuts}"
        " --units {input.units}"
        " --kmeans {input.kmeans}"
        " --output {output.table}"
        " 2>&1 | tee {log}"


rule tokens_speakers:
    """List the speakers of train."""
    input:
        cuts=expand(f"{ALIGNMENT}/cuts/train/{{shard}}.jsonl.gz", shard=SHARDS["train"]),
    output:
        table=f"{TOKENS}/speakers.json",
    log:
        f"{RESULTS}/logs/tokens/speakers.log",
    benchmark:
        f"{RESULTS}/benchmarks/tokens/speakers.tsv"
    priority: 2  # as for units: short jobs before the training of language models
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.tokens.speakers"),
    shell:
        "python -m scripts.tokens.speakers" " --cuts {input.cuts}" " --output {output.table}" " 2>&1 | tee {log}"


rule tokens_tokenizer:
    """Train the modality's tokenizer on the training split, or list its symbols."""
    input:
        cuts=expand(f"{ALIGNMENT}/cuts/train/{{shard}}.jsonl.gz", shard=SHARDS["train"]),
        units=lambda w: expand(
            "{folder}/train/{shard}.npz",
            folder=STREAMS_OF[w.modality],
            shard=SHARDS["train"],
        ),
        inventory=lambda w: INVENTORY_OF[w.modality],
        tables=lambda w: TABLES_OF[w.modality],
    output:
        tokenizer=directory(f"{TOKENS}/{{modality}}/tokenizer"),
    log:
        f"{RESULTS}/logs/tokens/tokenizer/{{modality}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/tokens/tokenizer/{{modality}}.tsv"
    priority: 2  # as for units: short jobs before the training of language models
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.tokens.tokenizer"),
        modality=lambda w: MODALITY[w.modality],
        extra=lambda w: EXTRA_PHONES if DEFINITION[w.modality].alphabet == "phones" else [],
    shell:
        "python -m scripts.tokens.tokenizer"
        " --modality {params.modality:q}"
        " --cuts {input.cuts}"
        " --units {input.units}"
        " --inventory {input.inventory}"
        " --tables {input.tables}"
        " --extra {params.extra}"
        " --output {output.tokenizer}"
        " 2>&1 | tee {log}"


rule tokens_encode:
    """Encode one shard of a split."""
    input:
        cuts=f"{ALIGNMENT}/cuts/{{split}}/{{shard}}.jsonl.gz",
        units=lambda w: expand(
            "{folder}/{split}/{shard}.npz",
            folder=STREAMS_OF[w.modality],
            split=w.split,
            shard=w.shard,
        ),
        tables=lambda w: TABLES_OF[w.modality],
        tokenizer=f"{TOKENS}/{{modality}}/tokenizer",
    output:
        tokens=temp(f"{TOKENS}/{{modality}}/shards/{{split}}/{{shard}}.bin"),
        index=temp(f"{TOKENS}/{{modality}}/shards/{{split}}/{{shard}}.idx.npz"),
    log:
        f"{RESULTS}/logs/tokens/encode/{{modality}}/{{split}}/{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/tokens/encode/{{modality}}/{{split}}/{{shard}}.tsv"
    priority: 2  # as for units: short jobs before the training of language models
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.tokens.encode"),
        modality=lambda w: MODALITY[w.modality],
    shell:
        "python -m scripts.tokens.encode"
        " --modality {params.modality:q}"
        " --cuts {input.cuts}"
        " --units {input.units}"
        " --tables {input.tables}"
        " --tokenizer {input.tokenizer}"
        " --output {output.tokens}"
        " 2>&1 | tee {log}"


# Both sides of a task's items, positive first.
use rule tokens_encode as tokens_encode_task with:
    input:
        cuts=f"{ALIGNMENT}/tasks/{{task}}.jsonl.gz",
        units=lambda w: expand(
            "{folder}/tasks/{task}.npz",
            folder=STREAMS_OF[w.modality],
            task=w.task,
        ),
        tables=lambda w: TABLES_OF[w.modality],
        tokenizer=f"{TOKENS}/{{modality}}/tokenizer",
    output:
        tokens=f"{TOKENS}/{{modality}}/tasks/{{task}}.bin",
        index=f"{TOKENS}/{{modality}}/tasks/{{task}}.idx.npz",
    log:
        f"{RESULTS}/logs/tokens/encode_task/{{modality}}/{{task}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/tokens/encode_task/{{modality}}/{{task}}.tsv"
    priority: 0


rule tokens_pack:
    """Join the shards of a split in order."""
    input:
        shards=lambda w: expand(
            f"{TOKENS}/{w.modality}/shards/{w.split}/{{shard}}.bin",
            shard=SHARDS[w.split],
        ),
        indices=lambda w: expand(
            f"{TOKENS}/{w.modality}/shards/{w.split}/{{shard}}.idx.npz",
            shard=SHARDS[w.split],
        ),
    output:
        tokens=f"{TOKENS}/{{modality}}/{{split}}.bin",
        index=f"{TOKENS}/{{modality}}/{{split}}.idx.npz",
    log:
        f"{RESULTS}/logs/tokens/pack/{{modality}}/{{split}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/tokens/pack/{{modality}}/{{split}}.tsv"
    priority: 2  # as for units: short jobs before the training of language models
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.tokens.pack"),
    shell:
        "python -m scripts.tokens.pack" " --shards {input.shards}" " --output {output.tokens}" " 2>&1 | tee {log}"


rule tokens_stats:
    """Count tokens and their rates per second of speech (Table 2)."""
    input:
        splits=expand(
            f"{TOKENS}/{{modality}}/{{split}}.bin",
            split=SPLITS,
            allow_missing=True,
        ),
        split_indices=expand(
            f"{TOKENS}/{{modality}}/{{split}}.idx.npz",
            split=SPLITS,
            allow_missing=True,
        ),
        tasks=expand(
            f"{TOKENS}/{{modality}}/tasks/{{task}}.bin",
            task=TASKS,
            allow_missing=True,
        ),
        task_indices=expand(
            f"{TOKENS}/{{modality}}/tasks/{{task}}.idx.npz",
            task=TASKS,
            allow_missing=True,
        ),
        tokenizer=f"{TOKENS}/{{modality}}/tokenizer",
    output:
        stats=f"{TOKENS}/{{modality}}/stats.json",
    log:
        f"{RESULTS}/logs/tokens/stats/{{modality}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/tokens/stats/{{modality}}.tsv"
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.tokens.stats"),
        modality=lambda w: MODALITY[w.modality],
    shell:
        "python -m scripts.tokens.stats"
        " --modality {params.modality:q}"
        " --splits {input.splits}"
        " --tasks {input.tasks}"
        " --tokenizer {input.tokenizer}"
        " --output {output.stats}"
        " 2>&1 | tee {log}"


# Modalities whose symbols can be compared frame by frame.
FRAMED = [name for name, modality in DEFINITION.items() if modality.clocked]


rule tokens_shared_context:
    """Count the frames of a context that differ between the sides of an item, although the sound is the same."""
    input:
        aligned=expand(f"{ALIGNMENT}/tasks/{{task}}.jsonl.gz", task=TASKS),
        units=expand(f"{UNITS}/tasks/{{task}}.npz", task=TASKS if "units" in [SOURCE[name] for name in FRAMED] else []),
        tables=sorted({table for name in FRAMED for table in TABLES_OF[name]}),
    output:
        table=f"{TOKENS}/shared_context.csv",
    log:
        f"{RESULTS}/logs/tokens/shared_context.log",
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.tokens.shared_context"),
        modalities=[MODALITY[name] for name in FRAMED],
        tasks=TASKS,
    shell:
        "python -m scripts.tokens.shared_context"
        " --modalities {params.modalities:q}"
        " --tasks {params.tasks}"
        " --items {input.aligned}"
        " --units {input.units}"
        " --tables {input.tables}"
        " --output {output.table}"
        " 2>&1 | tee {log}"
