"""Continuations of the same prompts by every model: sampled, synthesised, transcribed and judged."""
