"""The names of the stages, in the order of the pipeline."""

STAGES = ("corpus", "alignment", "units", "tokens", "lm", "evaluation", "continuation", "report")
PIPELINE = ("download", *STAGES)  # the download's files stand outside results/<name>/
