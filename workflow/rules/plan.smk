"""The predicted cost of a run: `snakemake plan`.

In: the configuration and a dry run of Snakemake. Out: plan/plan.txt (also printed), plan.csv by stage, rules.csv,
models.csv and a figure. The rule declares no output, so every call computes the plan anew.
"""

import json


rule plan:
    """Jobs, core-hours, GPU-hours, bytes and tokens of the whole run, regardless of existing results."""
    log:
        f"{RESULTS}/logs/plan/plan.log",
    localrule: True
    conda:
        "../../envs/core.yaml"
    params:
        config=literal(json.dumps(config)),  # in the order of the configuration, which the tables follow
        folder=f"{RESULTS}/plan",
        registry=str(HERE / "resources/datasets.yaml"),
        alone=ALONE,
        results=RESULTS,
        formats=config["report"]["formats"],
    shell:
        "mkdir -p {params.folder}"
        " && printf '%s\\n' {params.config:q} > {params.folder}/config.json"
        " && (snakemake"
        " --nolock"
        " --dry-run"
        " --forceall"
        " --quiet rules host"
        " {params.alone:q}"
        " --configfile {params.folder}/config.json"
        " -- report"
        " > {params.folder}/jobs.txt 2>&1 || (cat {params.folder}/jobs.txt; false))"
        " && python -m scripts.plan.make"
        " --config {params.folder}/config.json"
        " --jobs {params.folder}/jobs.txt"
        " --registry {params.registry:q}"
        " --formats {params.formats}"
        " --results {params.results}"
        " --output {params.folder}"
        " 2>&1 | tee {log}"
