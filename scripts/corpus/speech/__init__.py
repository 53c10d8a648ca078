"""Recorded speech: manifests, folders and task items of the user's or of LibriHeavy, checked and split into shards."""
