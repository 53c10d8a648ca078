"""Functions that concern all stages: the whole configuration and its check, sharing, cleaning, fingerprints of code.

It may import any stage; no stage imports it.
"""
