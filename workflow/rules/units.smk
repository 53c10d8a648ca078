"""Speech units: every utterance as cluster numbers.

In: alignment/cuts and alignment/tasks, and what units_computed.smk or, with units.external, units_external.smk names
besides.
Out: units/kmeans.json (how many clusters there are), units/{split}/{shard}.npz, units/tasks/{task}.npz and
units/quality.csv.
"""


include: "units_external.smk" if EXTERNAL["units"] else "units_computed.smk"
