"""corpus.source libriheavy: its manifests and Libri-Light's audio, the user's or fetched. Included by corpus.smk.

In: download.folder, or corpus.libriheavy.manifests and audio_root. Downloads are markers: see download.smk.
"""

LIBRIHEAVY = config["corpus"]["libriheavy"]
PARTS = {"train": LIBRIHEAVY["train"], "dev": LIBRIHEAVY["dev"] or LIBRIHEAVY["train"]}
# Which of Libri-Light's archives holds a part's audio; the evaluation parts were cut out of large.
ARCHIVE = {"small": "small", "medium": "medium"}


def libriheavy_manifest(part):
    """Where a part's manifest stands."""
    place = Path(download_target(f"libriheavy-{part}"))
    return str(place if LIBRIHEAVY["manifests"] is None else Path(LIBRIHEAVY["manifests"], place.name))


def libriheavy_ready(part):
    """What must stand before a part can be read: manifests of the user's, markers of downloads."""
    fetched = downloaded(f"libriheavy-{part}") if LIBRIHEAVY["manifests"] is None else libriheavy_manifest(part)
    archive = downloaded(f"librilight-{ARCHIVE.get(part, 'large')}")
    return [fetched] + ([archive] if LIBRIHEAVY["audio_root"] is None else [])


MANIFESTS = {split: [libriheavy_manifest(part) for part in parts] for split, parts in PARTS.items()}
READY = {split: [path for part in parts for path in libriheavy_ready(part)] for split, parts in PARTS.items()}
HELD_OUT = "" if LIBRIHEAVY["dev"] else f"--held-out {LIBRIHEAVY['held_out']} --seed {config['seed']}"
OPTIONS = f"--need-audio --split-exclusion {' '.join(LIBRIHEAVY['split_exclusion'])} {HELD_OUT}"
RULES = {**config["corpus"], "texts": "book"}
DROPPED_CUTS = []
