"""The names of the stages, in the order of the pipeline."""

STAGES = ("corpus", "alignment", "units", "tokens", "lm", "evaluation", "continuation", "report")
