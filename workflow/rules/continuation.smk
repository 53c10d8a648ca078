"""Continuations of the same prompts by every model: sampled, synthesised, transcribed and judged.

In: alignment/cuts/dev, the audio, units/, tokens/{modality} and lm/{modality}.
Out: continuation/prompts.jsonl; generated/{modality}.jsonl and real/{modality}.jsonl; speech/{modality}/ for modalities
other than text; transcripts/, judged/ (a row per continuation), recogniser.csv and summary.csv. With
`continuation.speak_text` also spoken_text/, the same of text modalities: phones/, speech/, transcripts/ and judged/.

Real continuations of the same prompts are encoded, synthesised, transcribed and judged like generated ones; their
perplexity shows the cost of these steps. With `continuation.prompts: 0` no target requests any output of these rules.
"""

from scripts.continuation.config import Sampling, Selection
from scripts.continuation.spoken import has_clock, why_left_out

CONTINUATION = config["continuation"]
SETS = ["generated", "real"]
# Text is judged directly, phones and units are synthesised and transcribed. What cannot be is left out; `snakemake plan`
# says why.
VOICES = ["phones"] + ["units"] * (EXTERNAL["units"] is None)
LEFT_OUT = {
    name: reason
    for name, modality in DEFINITION.items()
    if (reason := why_left_out(modality, units_made_here="units" in VOICES))
}
WRITTEN = [name for name in MODALITIES if SOURCE[name] == "text" and name not in LEFT_OUT]
SPOKEN = [name for name in MODALITIES if SOURCE[name] != "text" and name not in LEFT_OUT]
READ_ALOUD = WRITTEN * CONTINUATION["speak_text"]  # text that is also spoken and transcribed, as phones are
CONTINUED = [name for name in MODALITIES if name in WRITTEN + SPOKEN]
WITH_CONTINUATION = CONTINUATION["prompts"] > 0 and bool(CONTINUED)
FROM_LIST = CONTINUATION["prompts_from"] == "list"


include: "continuation_speech.smk"
include: "continuation_judge.smk"


rule continuation_select_prompts:
    """Prompts (beginnings of dev utterances) and their real continuations, as cuts."""
    input:
        cuts=expand(f"{ALIGNMENT}/cuts/dev/{{shard}}.jsonl.gz", shard=SHARDS["dev"]),
        scripts=[path for path in SCRIPTS if "/dev/" in path],
        listed=[f"{CORPUS}/prompts.jsonl"] * FROM_LIST,
    output:
        cuts=f"{RESULTS}/continuation/cuts.jsonl.gz",
        prompts=f"{RESULTS}/continuation/prompts.jsonl",
    log:
        f"{RESULTS}/logs/continuation/select_prompts.log",
    benchmark:
        f"{RESULTS}/benchmarks/continuation/select_prompts.tsv"
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.continuation.select_prompts"),
        config=part_json(CONTINUATION, Selection),
        seed=config["seed"],
    shell:
        "python -m scripts.continuation.select_prompts"
        " --cuts {input.cuts}"
        " --scripts {input.scripts}"
        " --listed {input.listed}"
        " --config {params.config:q}"
        " --seed {params.seed}"
        " --out {output.cuts}"
        " --prompts {output.prompts}"
        " 2>&1 | tee {log}"


if EXTERNAL["units"] is None:

    use rule units_extract as continuation_units with:
        input:
            cuts=f"{RESULTS}/continuation/cuts.jsonl.gz",
            encoder=f"{UNITS}/encoder",
            kmeans=f"{UNITS}/kmeans.npy",
            about=f"{UNITS}/kmeans.json",
        output:
            units=f"{RESULTS}/continuation/units.npz",
        log:
            f"{RESULTS}/logs/continuation/units.log",
        benchmark:
            f"{RESULTS}/benchmarks/continuation/units.tsv"
        priority: 0


use rule tokens_encode as continuation_encode with:
    input:
        cuts=f"{RESULTS}/continuation/cuts.jsonl.gz",
        units=lambda w: [f"{RESULTS}/continuation/units.npz"] * bool(STREAMS_OF[w.modality]),
        tables=lambda w: TABLES_OF[w.modality],
        tokenizer=f"{TOKENS}/{{modality}}/tokenizer",
    output:
        tokens=f"{RESULTS}/continuation/tokens/{{modality}}.bin",
        index=f"{RESULTS}/continuation/tokens/{{modality}}.idx.npz",
    log:
        f"{RESULTS}/logs/continuation/encode/{{modality}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/continuation/encode/{{modality}}.tsv"
    priority: 0


rule continuation_generate:
    """Sample continuations of every prompt in one modality, and write the real ones in the same format."""
    input:
        tokens=f"{RESULTS}/continuation/tokens/{{modality}}.bin",
        index=f"{RESULTS}/continuation/tokens/{{modality}}.idx.npz",
        listed=[f"{TOKENS}/{{modality}}/prompts.bin"] * FROM_LIST,
        listed_index=[f"{TOKENS}/{{modality}}/prompts.idx.npz"] * FROM_LIST,
        stats=f"{TOKENS}/{{modality}}/stats.json",
        model=f"{RESULTS}/lm/{{modality}}/model",
    output:
        generated=f"{RESULTS}/continuation/generated/{{modality}}.jsonl",
        real=f"{RESULTS}/continuation/real/{{modality}}.jsonl",
    log:
        f"{RESULTS}/logs/continuation/generate/{{modality}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/continuation/generate/{{modality}}.tsv"
    conda:
        environment("continuation")
    threads: CONTINUATION["threads"]
    resources:
        gpu=config["cluster"]["gpus"]["continuation"],
    params:
        code=code_of("scripts.continuation.generate"),
        config=part_json(CONTINUATION, Sampling),
        seed=config["seed"],
    shell:
        "python -m scripts.continuation.generate"
        " --tokens {input.tokens}"
        " --prompts {input.listed}"
        " --stats {input.stats}"
        " --model {input.model}"
        " --modality {wildcards.modality}"
        " --config {params.config:q}"
        " --seed {params.seed}"
        " --generated {output.generated}"
        " --real {output.real}"
        " 2>&1 | tee {log}"
