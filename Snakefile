"""Why is a speech language model worse than a text one, and which factor costs it what?

Seven stages in a row, each a file in workflow/rules/ and a folder under results/<name>/:

    corpus -> alignment -> units -> tokens -> lm -> evaluation -> report

Ask for a stage by its name, for `tables` or `figures`, or for any file.
"""

from snakemake.utils import min_version

min_version("9.20")


configfile: "config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/corpus.smk"
include: "workflow/rules/alignment.smk"
include: "workflow/rules/units.smk"
include: "workflow/rules/tokens.smk"
include: "workflow/rules/lm.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/targets.smk"
