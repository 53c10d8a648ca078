"""Measures of the language models: pair accuracies, baselines, bits, layers, scaling."""
