"""The corpus: speech, its texts and the zero-shot tasks, as Lhotse cuts in LibriHeavy's schema.

In: nothing (corpus.source world: the corpus is written and spoken here), or audio and Lhotse cuts (manifest), LibriHeavy
(libriheavy), LibriSpeech's own layout (librispeech), or texts (folder).
Out: corpus/cuts/{split}/{shard}.jsonl.gz, corpus/tasks/{task}.jsonl.gz, corpus/lexicon.txt, lexicon_tasks.txt,
corpus/overlap.csv and corpus/dropped.csv; from world also corpus/audio/, and corpus/truth/ for the tests. Where asked for: corpus/prompts.jsonl
and, as a split of one shard, corpus/cuts/prompts/.
"""

from scripts.corpus.config import CutRules, Limits, Voices
from scripts.corpus.speech.validate import Rules

if config["corpus"]["source"] == "world":

    include: "corpus_write.smk"

    SCRIPTS = [f"{CORPUS}/script/{split}/{shard}.jsonl.gz" for split in SPLITS for shard in SHARDS[split]]
    USER_LEXICON = []
    DROPPED_CUTS = [f"{CORPUS}/dropped/{split}/{shard}.csv" for split in SPLITS for shard in SHARDS[split]]
    DROPPED_ITEMS = {task: [f"{CORPUS}/dropped/tasks/{task}.csv"] for task in TASKS}

    rule corpus_speak:
        """One shard of the script: long FLACs per speaker and chapter, cuts of them, true phone times."""
        input:
            script=f"{CORPUS}/script/{{split}}/{{shard}}.jsonl.gz",
        output:
            audio=directory(f"{AUDIO_ROOT}/{{split}}/{{shard}}"),
            cuts=f"{CORPUS}/cuts/{{split}}/{{shard}}.jsonl.gz",
            truth=f"{CORPUS}/truth/{{split}}/{{shard}}.jsonl.gz",
            dropped=f"{CORPUS}/dropped/{{split}}/{{shard}}.csv",
        log:
            f"{RESULTS}/logs/corpus/speak/{{split}}/{{shard}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/corpus/speak/{{split}}/{{shard}}.tsv"
        wildcard_constraints:
            split="|".join(SPLITS),
        priority: 2  # the aligner waits for it, and nearly everything waits for the aligner
        conda:
            "../../envs/core.yaml"
        params:
            code=code_of("scripts.corpus.world.speak"),
            config=part_json(config["corpus"]["world"], Voices),
            limits=part_json(config["corpus"], Limits),
            seed=config["seed"],
        shell:
            "python -m scripts.corpus.world.speak"
            " --script {input.script}"
            " --audio {output.audio}"
            " --source {wildcards.split}/{wildcards.shard}"
            " --cuts {output.cuts}"
            " --truth {output.truth}"
            " --dropped {output.dropped}"
            " --config {params.config:q}"
            " --limits {params.limits:q}"
            " --seed {params.seed}"
            " 2>&1 | tee {log}"

    rule corpus_speak_tasks:
        """A task's pairs, both sides spoken alike; one candidate per pair is kept, so that lengths balance."""
        input:
            script=f"{CORPUS}/script/tasks/{{task}}.jsonl.gz",
        output:
            audio=directory(f"{AUDIO_ROOT}/tasks/{{task}}"),
            pairs=f"{CORPUS}/tasks/{{task}}.jsonl.gz",
            dropped=f"{CORPUS}/dropped/tasks/{{task}}.csv",
        log:
            f"{RESULTS}/logs/corpus/speak_tasks/{{task}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/corpus/speak_tasks/{{task}}.tsv"
        conda:
            "../../envs/core.yaml"
        params:
            code=code_of("scripts.corpus.world.speak_tasks"),
            config=part_json(config["corpus"]["world"], Voices),
            limits=part_json(config["corpus"], Limits),
            seed=config["seed"],
        shell:
            "python -m scripts.corpus.world.speak_tasks"
            " --script {input.script}"
            " --audio {output.audio}"
            " --source tasks/{wildcards.task}"
            " --items {output.pairs}"
            " --dropped {output.dropped}"
            " --config {params.config:q}"
            " --limits {params.limits:q}"
            " --seed {params.seed}"
            " 2>&1 | tee {log}"

else:

    # A file per source says where its cuts come from: MANIFESTS, what must stand before (READY), how to read them, and
    # DROPPED_CUTS, what was left out until there were manifests.
    include: f"corpus_{config['corpus']['source']}.smk"

    SECTION = config["corpus"][config["corpus"]["source"]]
    SCRIPTS = []
    USER_LEXICON = [path for path in [SECTION["lexicon"]] if path is not None]
    DROPPED_CUTS += [f"{CORPUS}/dropped/{split}.csv" for split in SPLITS]
    DROPPED_ITEMS = {
        task: [f"{CORPUS}/dropped/{kind}/{task}.csv" for kind in ["published"] * (task in PUBLISHED) + ["tasks"]]
        for task in TASKS
    }
    DEV_TASKS = config["corpus"]["dev_tasks"]

    include: "corpus_published.smk"
    include: "corpus_dev_tasks.smk"

    rule corpus_manifest_train:
        """A manifest's cuts, checked and written into shards; those that cannot be used are listed."""
        input:
            ready=READY["train"],
            others=[],
            lexicon=USER_LEXICON,
        output:
            shards=expand(
                f"{CORPUS}/cuts/train/{{shard}}.jsonl.gz",
                shard=SHARDS["train"],
            ),
            dropped=f"{CORPUS}/dropped/train.csv",
            recordings=f"{CORPUS}/recordings/train.json",
        log:
            f"{RESULTS}/logs/corpus/manifest/train.log",
        benchmark:
            f"{RESULTS}/benchmarks/corpus/manifest/train.tsv"
        conda:
            "../../envs/core.yaml"
        params:
            code=code_of("scripts.corpus.speech.manifest"),
            split="train",
            manifests=lambda wildcards: MANIFESTS["train"],
            section=config["corpus"]["source"],
            audio_root=audio_root,
            options=OPTIONS,
            config=part_json(RULES, Rules),
        shell:
            "python -m scripts.corpus.speech.manifest"
            " --manifest {params.manifests:q}"
            " --section {params.section}"
            " --split {params.split}"
            " --audio-root {params.audio_root:q}"
            " {params.options}"
            " --shards {output.shards}"
            " --dropped {output.dropped}"
            " --recordings {output.recordings}"
            " --other-splits {input.others}"
            " --lexicon {input.lexicon:q}"
            " --config {params.config:q}"
            " 2>&1 | tee {log}"

    # Dev leaves out what train has, so train comes first.
    use rule corpus_manifest_train as corpus_manifest_dev with:
        input:
            ready=READY["dev"],
            others=rules.corpus_manifest_train.output.recordings,
            lexicon=USER_LEXICON,
        output:
            shards=expand(
                f"{CORPUS}/cuts/dev/{{shard}}.jsonl.gz",
                shard=SHARDS["dev"],
            ),
            dropped=f"{CORPUS}/dropped/dev.csv",
            recordings=f"{CORPUS}/recordings/dev.json",
        log:
            f"{RESULTS}/logs/corpus/manifest/dev.log",
        benchmark:
            f"{RESULTS}/benchmarks/corpus/manifest/dev.tsv"
        params:
            code=code_of("scripts.corpus.speech.manifest"),
            split="dev",
            manifests=lambda wildcards: MANIFESTS["dev"],
            section=config["corpus"]["source"],
            audio_root=audio_root,
            options=OPTIONS,
            config=part_json(RULES, Rules),

    rule corpus_manifest_tasks:
        """A given task's items, both sides of each checked."""
        input:
            pairs=lambda wildcards: (
                f"{CORPUS}/published/{wildcards.task}.jsonl.gz"
                if wildcards.task in PUBLISHED
                else SECTION["tasks"][wildcards.task]
            ),
            lexicon=USER_LEXICON,
        output:
            pairs=f"{CORPUS}/tasks/{{task}}.jsonl.gz",
            dropped=f"{CORPUS}/dropped/tasks/{{task}}.csv",
        log:
            f"{RESULTS}/logs/corpus/manifest_tasks/{{task}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/corpus/manifest_tasks/{{task}}.tsv"
        wildcard_constraints:
            task="|".join(SECTION["tasks"]) or "no-task",
        conda:
            "../../envs/core.yaml"
        params:
            code=code_of("scripts.corpus.speech.manifest_tasks"),
            audio_root=audio_root,
            config=part_json(config["corpus"], CutRules),
        shell:
            "python -m scripts.corpus.speech.manifest_tasks"
            " --task {wildcards.task}"
            " --items {input.pairs:q}"
            " --lexicon {input.lexicon:q}"
            " --audio-root {params.audio_root:q}"
            " --out {output.pairs}"
            " --dropped {output.dropped}"
            " --config {params.config:q}"
            " 2>&1 | tee {log}"


rule corpus_prompts:
    """The continuation prompts, spoken by the synthesiser's voices; only where a run asks for them."""
    input:
        prompts=config["corpus"]["prompts"],
    output:
        audio=directory(f"{CORPUS}/audio/{PROMPTS}"),
        prompts=f"{CORPUS}/prompts.jsonl",
        cuts=f"{CORPUS}/cuts/{PROMPTS}/0.jsonl.gz",
    log:
        f"{RESULTS}/logs/corpus/prompts.log",
    benchmark:
        f"{RESULTS}/benchmarks/corpus/prompts.tsv"
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.corpus.world.speak_prompts"),
        config=part_json(config["corpus"]["world"], Voices),
        source=PROMPTS,
        seed=config["seed"],
    shell:
        "python -m scripts.corpus.world.speak_prompts"
        " --prompts {input.prompts:q}"
        " --audio {output.audio}"
        " --source {params.source}"
        " --out {output.prompts}"
        " --cuts {output.cuts}"
        " --config {params.config:q}"
        " --seed {params.seed}"
        " 2>&1 | tee {log}"


rule corpus_lexicon:
    """Every pronunciation of every word of both splits: as spoken (world), CMUdict's, the user's.

    Not those of the tasks: a further one must not touch what was trained.
    """
    input:
        cuts=[f"{CORPUS}/cuts/{split}/{shard}.jsonl.gz" for split in SPLITS for shard in SHARDS[split]],
        scripts=SCRIPTS,
        lexicon=USER_LEXICON,
    output:
        lexicon=f"{CORPUS}/lexicon.txt",
    log:
        f"{RESULTS}/logs/corpus/lexicon.log",
    benchmark:
        f"{RESULTS}/benchmarks/corpus/lexicon.tsv"
    priority: 2  # as for speech: the aligner waits for it
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.corpus.pronounce"),
    shell:
        "python -m scripts.corpus.pronounce"
        " --cuts {input.cuts}"
        " --scripts {input.scripts}"
        " --lexicon {input.lexicon:q}"
        " --out {output.lexicon}"
        " 2>&1 | tee {log}"


use rule corpus_lexicon as corpus_lexicon_tasks with:
    input:
        cuts=[
            *rules.corpus_lexicon.input.cuts,
            *expand(f"{CORPUS}/tasks/{{task}}.jsonl.gz", task=TASKS),
        ],
        scripts=SCRIPTS,
        lexicon=USER_LEXICON,
    output:
        lexicon=f"{CORPUS}/lexicon_tasks.txt",
    log:
        f"{RESULTS}/logs/corpus/lexicon_tasks.log",
    benchmark:
        f"{RESULTS}/benchmarks/corpus/lexicon_tasks.tsv"


rule corpus_overlap:
    """Count the sides of items that share a speaker, a book, their text or a part of it with train."""
    input:
        train=expand(f"{CORPUS}/cuts/train/{{shard}}.jsonl.gz", shard=SHARDS["train"]),
        pairs=expand(f"{CORPUS}/tasks/{{task}}.jsonl.gz", task=TASKS),
    output:
        overlap=f"{CORPUS}/overlap.csv",
    log:
        f"{RESULTS}/logs/corpus/overlap.log",
    benchmark:
        f"{RESULTS}/benchmarks/corpus/overlap.tsv"
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.corpus.overlap"),
        tasks=TASKS,
    shell:
        "python -m scripts.corpus.overlap"
        " --train {input.train}"
        " --tasks {params.tasks}"
        " --items {input.pairs}"
        " --out {output.overlap}"
        " 2>&1 | tee {log}"


rule corpus_dropped:
    """All jobs' drops in one table; an error if the splits together lost too much."""
    input:
        parts=DROPPED_CUTS,
        tasks=[path for task in TASKS for path in DROPPED_ITEMS[task]],
        cuts=[f"{CORPUS}/cuts/{split}/{shard}.jsonl.gz" for split in SPLITS for shard in SHARDS[split]],
    output:
        dropped=f"{CORPUS}/dropped.csv",
    log:
        f"{RESULTS}/logs/corpus/dropped.log",
    priority: 1  # what ends the run is said before hours are spent on the rest
    localrule: True
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.corpus.merge_dropped"),
        limits=part_json(config["corpus"], Limits),
    shell:
        "python -m scripts.corpus.merge_dropped"
        " --parts {input.parts}"
        " --tasks {input.tasks}"
        " --cuts {input.cuts}"
        " --limits {params.limits:q}"
        " --out {output.dropped}"
        " 2>&1 | tee {log}"
