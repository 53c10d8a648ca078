"""An optional look at every audio file before weeks are spent on it: `snakemake audio_check`.

In: corpus/cuts, corpus/tasks and the audio. Out: corpus/audio_check.csv, the files that are missing, damaged, or not of
the rate or length that the cuts say. No other stage waits for it.
"""


rule corpus_audio_check:
    """Open every file of one shard, compare it with what the cuts say, decode its end."""
    input:
        cuts=f"{CORPUS}/cuts/{{split}}/{{shard}}.jsonl.gz",
    output:
        problems=f"{CORPUS}/audio_check/{{split}}/{{shard}}.csv",
    log:
        f"{RESULTS}/logs/corpus/audio_check/{{split}}/{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/corpus/audio_check/{{split}}/{{shard}}.tsv"
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.corpus.speech.audio_check"),
        audio_root=audio_root,
    shell:
        "python -m scripts.corpus.speech.audio_check"
        " --cuts {input.cuts}"
        " --audio-root {params.audio_root:q}"
        " --out {output.problems}"
        " 2>&1 | tee {log}"


use rule corpus_audio_check as corpus_audio_check_task with:
    input:
        cuts=f"{CORPUS}/tasks/{{task}}.jsonl.gz",
    output:
        problems=f"{CORPUS}/audio_check/tasks/{{task}}.csv",
    log:
        f"{RESULTS}/logs/corpus/audio_check/tasks/{{task}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/corpus/audio_check/tasks/{{task}}.tsv"


rule corpus_audio_checked:
    """All shards' and tasks' problems in one list."""
    input:
        parts=[f"{CORPUS}/audio_check/{split}/{shard}.csv" for split in SPLITS for shard in SHARDS[split]],
        tasks=expand(f"{CORPUS}/audio_check/tasks/{{task}}.csv", task=TASKS),
    output:
        problems=f"{CORPUS}/audio_check.csv",
    log:
        f"{RESULTS}/logs/corpus/audio_check.log",
    localrule: True
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.corpus.speech.audio_check_summary"),
    shell:
        "python -m scripts.corpus.speech.audio_check_summary"
        " --parts {input.parts} {input.tasks}"
        " --out {output.problems}"
        " 2>&1 | tee {log}"


rule audio_check:
    """Every audio file of the corpus opened and compared with what its cuts say."""
    input:
        f"{CORPUS}/audio_check.csv",
    localrule: True
