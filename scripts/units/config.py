"""The configuration's section `units`."""

POSITION_GROUPS = 4  # of the positional convolution of the HuBERT that is pretrained here
