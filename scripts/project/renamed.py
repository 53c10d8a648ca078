"""Keys of the configuration that had another name or place in an earlier version."""

RENAMED = {
    "continuation.speech.batch_chunks": "continuation.speech.batch_crops",
    "corpus.libriheavy.apart": "corpus.libriheavy.split_exclusion",
    "evaluation.decide_by": "evaluation.score_normalization",
    "evaluation.foreign": "evaluation.external_systems",
    "plan.times_real_time.hear": "plan.times_real_time.transcribe",
    "units.encoder.batch_chunks": "units.encoder.batch_crops",
    "units.encoder.chunk_seconds": "units.encoder.crop_seconds",
}
PROFILE = "is no longer a key: {} of jobs is set in the profile (set-resources in workflow/profiles/slurm/config.yaml)"
MOVED = {
    "cluster.cpus": PROFILE.format("cpus_per_task"),
    "cluster.mem_mb": PROFILE.format("mem_mb"),
    "cluster.minutes": PROFILE.format("runtime"),
}


def with_new_name(problem: str) -> str:
    """A problem of `read`; of a key that was renamed or moved, with its name or place of now."""
    key, unknown, _ = problem.partition(" is not a known key")
    if unknown and key in RENAMED:
        return f"{key} was renamed: it is now {RENAMED[key]}"
    return f"{key} {MOVED[key]}" if unknown and key in MOVED else problem
