"""The stages' names, in the order in which data passes through them."""

STAGES = ("corpus", "alignment", "units", "tokens", "lm", "evaluation", "continuation", "report")
