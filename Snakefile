"""Why is a speech language model worse than a text one, and which factor costs it what?

Eight stages, each a file in workflow/rules/ and a folder under results/<name>/; evaluation and continuation both read
lm, and neither reads the other:

    corpus -> alignment -> units -> tokens -> lm -> evaluation -> continuation -> report

Ask for a stage by its name, for `tables` or `figures`, or for any file.
"""

from snakemake.utils import min_version

min_version("9.20")


configfile: "resources/plan.yaml"
configfile: "config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/download.smk"
include: "workflow/rules/corpus.smk"
include: "workflow/rules/audio_check.smk"
include: "workflow/rules/alignment.smk"
include: "workflow/rules/units.smk"
include: "workflow/rules/tokens.smk"
include: "workflow/rules/lm.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/dials.smk"
include: "workflow/rules/continuation.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/seeds.smk"
include: "workflow/rules/data_shares.smk"
include: "workflow/rules/targets.smk"
include: "workflow/rules/plan.smk"


rule report:
    """The HTML report: `snakemake --report` over everything that stands, with the configuration it stands on."""
    default_target: True
    input:
        rules.all.input,
        captions=sorted(str(path) for path in Path("workflow/report").glob("*.rst")),
    output:
        html=f"{RESULTS}/report.html",
    log:
        f"{RESULTS}/logs/report/report.log",
    localrule: True
    conda:
        "envs/core.yaml"
    params:
        config=as_json({key: config[key] for key in config if key not in ("cluster", "plan")}),  # no result is of these
        resolved=f"{RESULTS}/config.json",  # written at the start of every run
        aside=f"{RESULTS}/.aside.report.html",
    shell:
        # --nolock: the workflow that runs this rule holds the lock, and waits for it.
        "snakemake"
        " --nolock"
        " --configfile {params.resolved}"
        " --report {params.aside}"
        " -- all"
        " > {log} 2>&1"
        " && mv {params.aside} {output.html}"
