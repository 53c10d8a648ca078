"""Judging of transcripts: perplexity under a language model, and one table of all continuations.

Included by continuation.smk.
"""

from scripts.continuation.config import Limits
from scripts.evaluation.config import Resampling

JUDGE = CONTINUATION["judge"]
OWN_JUDGE = f"{RESULTS}/continuation/judge/model"


rule continuation_judge_text:
    """Training text and tokenizer of the judge that the workflow trains."""
    input:
        scripts=SCRIPTS,
        tasks=[f"{CORPUS}/script/tasks/{task}.jsonl.gz" for task in TASKS] * bool(SCRIPTS),
        cuts=expand(f"{ALIGNMENT}/cuts/train/{{shard}}.jsonl.gz", shard=SHARDS["train"] * (not SCRIPTS)),
    output:
        tokenizer=directory(f"{RESULTS}/continuation/judge/tokenizer"),
        tokens=multiext(f"{RESULTS}/continuation/judge/train", ".bin", ".idx.npz"),
        dev=multiext(f"{RESULTS}/continuation/judge/dev", ".bin", ".idx.npz"),
    log:
        f"{RESULTS}/logs/continuation/judge_text.log",
    benchmark:
        f"{RESULTS}/benchmarks/continuation/judge_text.tsv"
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.continuation.judge_text"),
        lexicon=config["corpus"]["world"]["lexicon"],
        hours=JUDGE["hours"],
        rate=config["corpus"]["world"]["rate"]["mean"],
        vocab_size=JUDGE["vocab_size"],
        seed=config["seed"],
    shell:
        "python -m scripts.continuation.judge_text"
        " --scripts {input.scripts}"
        " --tasks {input.tasks}"
        " --cuts {input.cuts}"
        " --lexicon {params.lexicon}"
        " --hours {params.hours}"
        " --rate {params.rate}"
        " --vocab-size {params.vocab_size}"
        " --seed {params.seed}"
        " --tokenizer {output.tokenizer}"
        " --train {output.tokens[0]}"
        " --dev {output.dev[0]}"
        " 2>&1 | tee {log}"


rule continuation_judge_train:
    """Train the judge like the other models, on its own text."""
    input:
        train=f"{RESULTS}/continuation/judge/train.bin",
        train_index=f"{RESULTS}/continuation/judge/train.idx.npz",
        dev=f"{RESULTS}/continuation/judge/dev.bin",
        dev_index=f"{RESULTS}/continuation/judge/dev.idx.npz",
        tokenizer=f"{RESULTS}/continuation/judge/tokenizer",
    output:
        model=directory(OWN_JUDGE),
        scaling=temp(directory(f"{RESULTS}/continuation/judge/scaling")),
        log=f"{RESULTS}/continuation/judge/log.csv",
    log:
        f"{RESULTS}/logs/continuation/judge_train.log",
    benchmark:
        f"{RESULTS}/benchmarks/continuation/judge_train.tsv"
    conda:
        environment("lm")
    threads: config["lm"]["training"]["threads"]
    resources:
        gpu=min(1, config["cluster"]["gpus"]["lm"]),
    params:
        code=code_of("scripts.lm.train"),
        config=as_json(
            {
                "model": config["lm"]["model"],
                "training": {
                    **config["lm"]["training"],
                    "epochs": JUDGE["epochs"],
                    "checkpoints_in_epoch_1": 2,
                },
            }
        ),
        seed=config["seed"],
        out=subpath(output.model, parent=True),
    shell:
        "python -m scripts.lm.train"
        " --train {input.train}"
        " --dev {input.dev}"
        " --tokenizer {input.tokenizer}"
        " --config {params.config:q}"
        " --seed {params.seed}"
        " --name judge"
        " --out {params.out}"
        " 2>&1 | tee {log}"


rule continuation_judge:
    """Perplexity of every continuation, one row each."""
    input:
        transcripts=expand(
            f"{RESULTS}/continuation/transcripts/{{set}}/{{modality}}.jsonl",
            set=SETS,
            modality=CONTINUED,
        )
        + expand(f"{SPOKEN_TEXT}/transcripts/{{set}}/{{modality}}.jsonl", set=SETS, modality=READ_ALOUD),
        prompts=f"{RESULTS}/continuation/prompts.jsonl",
        judge=[OWN_JUDGE] * (JUDGE["source"] == "train"),
        source=model_files(JUDGE["source"]) * (JUDGE["source"] != "train"),
    output:
        judged=expand(f"{RESULTS}/continuation/judged/{{set}}/{{modality}}.csv", set=SETS, modality=CONTINUED)
        + expand(f"{SPOKEN_TEXT}/judged/{{set}}/{{modality}}.csv", set=SETS, modality=READ_ALOUD),
        about=f"{RESULTS}/continuation/judge.csv",
    log:
        f"{RESULTS}/logs/continuation/judge.log",
    benchmark:
        f"{RESULTS}/benchmarks/continuation/judge.tsv"
    conda:
        environment("continuation")
    threads: CONTINUATION["threads"]
    resources:
        gpu=config["cluster"]["gpus"]["continuation"],
    params:
        code=code_of("scripts.continuation.judge"),
        judge=lambda wildcards, input: input.judge or JUDGE["source"],
        text=JUDGE["text"],
        precision=JUDGE["precision"],
        batch_tokens=JUDGE["batch_tokens"],
        threads=CONTINUATION["threads"],
    shell:
        "python -m scripts.continuation.judge"
        " --transcripts {input.transcripts}"
        " --prompts {input.prompts}"
        " --judge {params.judge:q}"
        " --text {params.text}"
        " --precision {params.precision}"
        " --batch-tokens {params.batch_tokens}"
        " --threads {params.threads}"
        " --out {output.judged}"
        " --about {output.about}"
        " 2>&1 | tee {log}"


rule continuation_summary:
    """Perplexity, failures and variety of every modality, generated and real, in one table."""
    input:
        generated=expand(f"{RESULTS}/continuation/judged/generated/{{modality}}.csv", modality=CONTINUED),
        real=expand(f"{RESULTS}/continuation/judged/real/{{modality}}.csv", modality=CONTINUED),
        spoken=expand(f"{SPOKEN_TEXT}/judged/generated/{{modality}}.csv", modality=READ_ALOUD),
        spoken_real=expand(f"{SPOKEN_TEXT}/judged/real/{{modality}}.csv", modality=READ_ALOUD),
        prompts=f"{RESULTS}/continuation/prompts.jsonl",
        judge=f"{RESULTS}/continuation/judge.csv",
        recogniser=[f"{RESULTS}/continuation/recogniser.csv"] * bool(SPOKEN + READ_ALOUD),
    output:
        summary=f"{RESULTS}/continuation/summary.csv",
    log:
        f"{RESULTS}/logs/continuation/summary.log",
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.continuation.summary"),
        modalities=CONTINUED,
        read_aloud=READ_ALOUD,
        world=f"--world {config['corpus']['world']['lexicon']}" if SCRIPTS else "",
        transcribed=SPOKEN,
        limits=part_json(CONTINUATION, Limits),
        config=part_json(config["evaluation"], Resampling),
        seed=config["seed"],
    shell:
        "python -m scripts.continuation.summary"
        " --modalities {params.modalities}"
        " --generated {input.generated}"
        " --real {input.real}"
        " --read-aloud {params.read_aloud}"
        " --spoken {input.spoken}"
        " --spoken-real {input.spoken_real}"
        " --prompts {input.prompts}"
        " --judge {input.judge}"
        " --recogniser {input.recogniser}"
        " --transcribed {params.transcribed}"
        " --limits {params.limits:q}"
        " {params.world}"
        " --config {params.config:q}"
        " --seed {params.seed}"
        " --out {output.summary}"
        " 2>&1 | tee {log}"
