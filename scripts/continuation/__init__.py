"""Continuations: what each model goes on to say, heard, written down and judged."""
