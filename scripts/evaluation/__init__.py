"""What the language models know: pair accuracies, the baselines beside them, bits, layers, scaling."""
