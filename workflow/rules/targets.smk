"""Targets that people ask for by name; `snakemake` alone means `report`."""


rule all:
    """Everything up to the figures and tables that the report shows."""
    default_target: True
    localrule: True
    input:
        rules.tables.input,
        rules.figures.input,
