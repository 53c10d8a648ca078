"""corpus.source folder: audio files with a text of the same name, or tables of them. Included by corpus.smk.

In: corpus.folder.audio_root, and the tables of corpus.folder.table.
Out: corpus/found/{split}.jsonl.gz, the same as Lhotse cuts.
"""

from dataclasses import asdict

from scripts.corpus.speech.config import SoundTable, TableColumns

TABLE = config["corpus"]["folder"]["table"]
if TABLE is not None:
    TABLE = {**asdict(SoundTable()), **TABLE}
MANIFESTS = {split: f"{CORPUS}/found/{split}.jsonl.gz" for split in SPLITS}
READY = MANIFESTS
OPTIONS = ""
RULES = {**config["corpus"], "texts": config["corpus"]["text"]}
DROPPED_CUTS = [f"{CORPUS}/dropped/found/{split}.csv" for split in SPLITS]


if TABLE is None:

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

else:

    rule corpus_table:
        """A table's rows as Lhotse cuts; those without a text or a file are listed."""
        input:
            table=lambda wildcards: TABLE[wildcards.split],
        output:
            cuts=f"{CORPUS}/found/{{split}}.jsonl.gz",
            dropped=f"{CORPUS}/dropped/found/{{split}}.csv",
        log:
            f"{RESULTS}/logs/corpus/table/{{split}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/corpus/table/{{split}}.tsv"
        conda:
            "../../envs/core.yaml"
        params:
            code=code_of("scripts.corpus.speech.sound_table"),
            audio_root=audio_root,
            columns=part_json(TABLE, TableColumns),
            limits=part_json(config["corpus"], Limits),
        shell:
            "python -m scripts.corpus.speech.sound_table"
            " --audio-root {params.audio_root:q}"
            " --table {input.table:q}"
            " --columns {params.columns:q}"
            " --out {output.cuts}"
            " --dropped {output.dropped}"
            " --limits {params.limits:q}"
            " 2>&1 | tee {log}"
