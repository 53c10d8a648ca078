"""corpus.source librispeech: subsets in LibriSpeech's own layout, the user's or fetched. Included by corpus.smk.

In: corpus.librispeech.audio_root, or download.folder (downloads are markers: see download.smk).
Out: corpus/found/{subset}.jsonl.gz, a subset as Lhotse cuts. The splits are made of these.
"""

LIBRISPEECH = config["corpus"]["librispeech"]
SUBSETS = {"train": LIBRISPEECH["train"], "dev": LIBRISPEECH["dev"] or LIBRISPEECH["train"]}


def librispeech_subset(subset):
    """The folder of a subset: the user's, or where its archive was unpacked."""
    if LIBRISPEECH["audio_root"] is not None:
        return str(Path(LIBRISPEECH["audio_root"], subset))
    return str(Path(download_target(f"librispeech-{subset}"), "LibriSpeech", subset))


MANIFESTS = {split: [f"{CORPUS}/found/{subset}.jsonl.gz" for subset in subsets] for split, subsets in SUBSETS.items()}
READY = MANIFESTS
HELD_OUT = "" if LIBRISPEECH["dev"] else f"--held-out {LIBRISPEECH['held_out']} --seed {config['seed']}"
OPTIONS = f"--split-exclusion speaker {HELD_OUT}"
RULES = {**config["corpus"], "texts": config["corpus"]["text"]}
DROPPED_CUTS = [
    f"{CORPUS}/dropped/found/{subset}.csv" for subset in dict.fromkeys([*SUBSETS["train"], *SUBSETS["dev"]])
]


rule corpus_librispeech:
    """A subset's utterances as Lhotse cuts; files without a text and texts without a file are listed."""
    input:
        ready=lambda wildcards: (
            librispeech_subset(wildcards.subset)
            if LIBRISPEECH["audio_root"] is not None
            else downloaded(f"librispeech-{wildcards.subset}")
        ),
    output:
        cuts=f"{CORPUS}/found/{{subset}}.jsonl.gz",
        dropped=f"{CORPUS}/dropped/found/{{subset}}.csv",
    log:
        f"{RESULTS}/logs/corpus/librispeech/{{subset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/corpus/librispeech/{{subset}}.tsv"
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.corpus.speech.librispeech"),
        subset=lambda wildcards: librispeech_subset(wildcards.subset),
        audio_root=audio_root,
        limits=part_json(config["corpus"], Limits),
    shell:
        "python -m scripts.corpus.speech.librispeech"
        " --audio-root {params.audio_root:q}"
        " --subset {params.subset:q}"
        " --out {output.cuts}"
        " --dropped {output.dropped}"
        " --limits {params.limits:q}"
        " 2>&1 | tee {log}"
