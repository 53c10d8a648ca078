"""corpus.source folder: audio files with a text of the same name. Included by corpus.smk.

In: corpus.folder.audio_root. Out: corpus/found/{split}.jsonl.gz, the same as Lhotse cuts.
"""

MANIFESTS = {split: f"{CORPUS}/found/{split}.jsonl.gz" for split in SPLITS}
READY = MANIFESTS
OPTIONS = ""
RULES = {**config["corpus"], "texts": "given"}
DROPPED_PARTS = [f"{CORPUS}/dropped/found/{split}.csv" for split in SPLITS]


rule corpus_folder:
    """A folder's audio files and texts as Lhotse cuts; files without the other are listed."""
    input:
        folder=lambda wildcards: str(Path(AUDIO_ROOT, config["corpus"]["folder"][wildcards.split])),
    output:
        cuts=f"{CORPUS}/found/{{split}}.jsonl.gz",
        dropped=f"{CORPUS}/dropped/found/{{split}}.csv",
    log:
        f"{RESULTS}/logs/corpus/folder/{{split}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/corpus/folder/{{split}}.tsv"
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.corpus.speech.folder"),
        audio_root=audio_root,
        limits=part_json(config["corpus"], Limits),
    shell:
        "python -m scripts.corpus.speech.folder"
        " --audio-root {params.audio_root:q}"
        " --folder {input.folder:q}"
        " --out {output.cuts}"
        " --dropped {output.dropped}"
        " --limits {params.limits:q}"
        " 2>&1 | tee {log}"
