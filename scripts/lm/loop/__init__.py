"""One training from its first step to the published model: steps, evaluations, states, logs."""
