"""The tokens of a training, the utterances of each step, and the rows in which a model reads them."""
