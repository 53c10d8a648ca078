"""Continuations of the same prompts by every model: sampled, spoken, transcribed and judged."""
