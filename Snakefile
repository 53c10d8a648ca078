"""The workflow, from the repository's root: all of it is in workflow/Snakefile."""


include: "workflow/Snakefile"


workflow.default_target = "report"  # an included file sets none
