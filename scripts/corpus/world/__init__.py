"""corpus.source world: sentences from templates, spoken by espeak-ng; its tasks; the continuation prompts."""
