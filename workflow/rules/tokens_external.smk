"""Import external tokens, for modalities of source `tokens`. Included by tokens.smk.

In: the folder modalities.<name>.external, alignment/cuts and alignment/tasks. Out: tokens/{modality}/external/ (a store
of the folder's tokens) and tokens/{modality}/given/, the tokens of each cut in the order of the cuts, which later rules
treat as symbols.
"""


wildcard_constraints:
    given="|".join(EXTERNAL["tokens"]),


rule tokens_external:
    """Convert the modality's folder to a store in which jobs look up tokens by cut."""
    input:
        folder=lambda w: EXTERNAL["tokens"][w.given],
    output:
        store=directory(f"{TOKENS}/{{given}}/external"),
        about=f"{TOKENS}/{{given}}/external.json",
    log:
        f"{RESULTS}/logs/tokens/external/{{given}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/tokens/external/{{given}}.tsv"
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.tokens.external"),
        size=lambda w: config["modalities"][w.given]["vocab_size"],
    shell:
        "python -m scripts.tokens.external"
        " --modality {wildcards.given}"
        " --folder {input.folder:q}"
        " --size {params.size}"
        " --out {output.store}"
        " 2>&1 | tee {log}"
        " && cp {output.store}/about.json {output.about}"


rule tokens_import_external:
    """Import the tokens of one shard of a split."""
    input:
        cuts=f"{ALIGNMENT}/cuts/{{split}}/{{shard}}.jsonl.gz",
        store=f"{TOKENS}/{{given}}/external",
    output:
        tokens=f"{TOKENS}/{{given}}/given/{{split}}/{{shard}}.npz",
    log:
        f"{RESULTS}/logs/tokens/import_external/{{given}}/{{split}}/{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/tokens/import_external/{{given}}/{{split}}/{{shard}}.tsv"
    conda:
        "../../envs/core.yaml"
    params:
        code=code_of("scripts.tokens.import_external"),
    shell:
        "python -m scripts.tokens.import_external"
        " --modality {wildcards.given}"
        " --cuts {input.cuts}"
        " --store {input.store}"
        " --output {output.tokens}"
        " 2>&1 | tee {log}"


use rule tokens_import_external as tokens_import_external_task with:
    input:
        cuts=f"{ALIGNMENT}/tasks/{{task}}.jsonl.gz",
        store=f"{TOKENS}/{{given}}/external",
    output:
        tokens=f"{TOKENS}/{{given}}/given/tasks/{{task}}.npz",
    log:
        f"{RESULTS}/logs/tokens/import_external/{{given}}/tasks/{{task}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/tokens/import_external/{{given}}/tasks/{{task}}.tsv"
