"""corpus.source manifest: Lhotse cuts that the user has. Included by corpus.smk."""

MANIFESTS = {split: config["corpus"]["manifest"][split] for split in SPLITS}
READY = MANIFESTS
OPTIONS = ""
RULES = {**config["corpus"], "texts": config["corpus"]["text"]}
DROPPED_CUTS = []
