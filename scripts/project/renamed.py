"""Keys of the configuration that had another name in an earlier version."""

RENAMED = {
    "evaluation.decide_by": "evaluation.score_normalization",
    "evaluation.foreign": "evaluation.external_systems",
}


def with_new_name(problem: str) -> str:
    """A problem of `read`; of a key that was renamed, with the name that it has now."""
    key, unknown, _ = problem.partition(" is not a known key")
    return f"{key} was renamed: it is now {RENAMED[key]}" if unknown and key in RENAMED else problem
