"""Train one language model per modality: `python -m scripts.lm.train`.

Imports run one way: config, distributed, batching, model, loop, train.
"""
