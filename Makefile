# make run, make test, make test-all, make lint, make bench: each installs what it needs into .venv first.

PYTHON ?= python3.11
PYTHON310 ?= python3.10
CONFIG ?= config.yaml
CORES ?= all
PAPER = workflow/configs/paper.yaml
FULL = workflow/configs/full.yaml
# Steps are `python -m ...` in the environment of this Makefile; PASSIVE: two jobs side by side must not
# spin for each other's cores (it halves HuBERT's training speed otherwise).
RUN = PATH="$(CURDIR)/.venv/bin:$$PATH" OMP_WAIT_POLICY=PASSIVE
# Snakemake, with a line for the whole run and one per running job; the rest of what it prints goes to .snakemake/log.
SHOWN = python -m scripts.project.terminal

UNIT_TESTS = $(RUN) OMP_NUM_THREADS=1 pytest -n auto --dist loadfile -m "not smoke and not slow"

.DEFAULT_GOAL := help
.PHONY: docs fairseq graphs picture schema help plan run run-full demo test test-all lint format bench lock clean
# Left out of requirements.lock: torch, whose wheel differs by index (CPU or CUDA), and what only CUDA's needs.
UNLOCKED = torch triton cuda-bindings cuda-pathfinder cuda-toolkit nvidia-cublas nvidia-cuda-cupti nvidia-cuda-nvrtc \
	nvidia-cuda-runtime nvidia-cudnn-cu13 nvidia-cufft nvidia-cufile nvidia-curand nvidia-cusolver nvidia-cusparse \
	nvidia-cusparselt-cu13 nvidia-nccl-cu13 nvidia-nvjitlink nvidia-nvshmem-cu13 nvidia-nvtx
COMPILE = .venv/bin/uv pip compile --quiet --no-config --python-version 3.11 --python-platform x86_64-manylinux_2_28 \
	--generate-hashes --annotation-style line --custom-compile-command "make lock"

help:  ## list these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run: .venv/core  ## the experiment of CONFIG (default: the miniature), up to its report
	@$(RUN) $(SHOWN) --cores $(CORES) --configfile $(CONFIG) -- report

demo: .venv/core  ## text and phones of the miniature alone; then open results/mini/demo/index.html; `make run` goes on from it
	@$(RUN) $(SHOWN) --cores $(CORES) --configfile $(CONFIG) -- demo

run-full: .venv/core  ## the miniature with complete schedules on less data and further seeds; keeps what `make run` made
	@$(RUN) $(SHOWN) --cores $(CORES) --configfile $(FULL) -- report

plan: .venv/core  ## what CONFIG would cost, before it is run: results/<name>/plan
	@$(RUN) snakemake --cores 1 --configfile $(CONFIG) --quiet all -- plan

picture:  ## README's picture from the results of `make run`
	cp results/mini/report/figures/chain.svg docs/figures/chain.svg

graphs: .venv/core  ## draw docs/graphs/ anew: the paper's plan, and the rules of its run, a picture per stage
	$(RUN) snakemake --cores 1 --quiet all --configfile $(PAPER) -- plan
	$(RUN) snakemake --forceall --rulegraph dot --configfile $(PAPER) -- report > results/paper/plan/rules.dot
	$(RUN) python -m scripts.plan.graph --rules results/paper/plan/rules.dot --jobs results/paper/plan/jobs.txt --output docs/graphs
	cp results/paper/plan/plan.txt results/paper/plan/plan.svg docs/graphs

test: .venv/dev  ## unit tests and the smoke experiment end to end; STAGE=units: the unit tests of one stage alone
	$(UNIT_TESTS) tests/$(STAGE)
	$(if $(STAGE),,$(RUN) pytest -n 2 -m smoke tests/workflow)

# A worker more than the two of before: one of them waits for Slurm most of the time. All of tests/slurm share a worker.
test-all: .venv/dev  ## every test: also Slurm, kills, reruns, resumed runs, published formats, the same bytes twice
	$(UNIT_TESTS)
	$(RUN) pytest -n 3 --dist loadgroup -m "smoke or slow"

lint: docs  ## style, layout, types, Snakemake's own linter, and the docs' site
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) snakefmt --check --line-length 120 Snakefile workflow
	$(RUN) mypy
	$(RUN) snakemake --lint

docs: .venv/dev  ## the site of the docs: site/index.html; a broken link or a page outside the navigation fails
	$(RUN) python -m sphinx --builder html --conf-dir docs --fresh-env --doctree-dir site/.doctrees \
		--fail-on-warning --keep-going --quiet . site

format: .venv/dev  ## rewrite the code in the house layout
	$(RUN) ruff check --fix-only .
	$(RUN) ruff format .
	$(RUN) snakefmt --line-length 120 Snakefile workflow

bench: .venv/dev  ## measured speeds of the expensive steps
	$(RUN) python -m benchmarks

schema: .venv/dev  ## JSON schema, docs/configuration.md and config.yaml's comments, from the definitions of the keys
	$(RUN) python -m scripts.project.schema

lock: .venv/dev  ## requirements*.lock from the pins in pyproject.toml: every package beneath them, with hashes
	$(COMPILE) --group core $(addprefix --no-emit-package ,$(UNLOCKED)) --output-file requirements.lock
	$(COMPILE) --group gpu --output-file requirements-gpu.lock

fairseq:  ## an environment with fairseq (needs PYTHON310), for units.encoder.backend fairseq and its tests
	$(PYTHON310) -m venv .venv-fairseq
	.venv-fairseq/bin/pip install --quiet "pip==24.0" "setuptools<70" wheel
	.venv-fairseq/bin/pip install --quiet "torch==1.13.1" "numpy==1.23.5"
	.venv-fairseq/bin/pip install --quiet "fairseq==0.12.2"

clean:  ## delete results of CONFIG (or NAME=), or from STAGE= on, or CHECKPOINTS=1; says what first, asks (or YES=1)
	@$(RUN) python -m scripts.project.clean \
		--name $(or $(NAME),$(shell sed -n 's/^name: *\([^ \#]*\).*/\1/p' $(CONFIG)),$(shell sed -n 's/^name: *\([^ \#]*\).*/\1/p' config.yaml)) \
		$(if $(STAGE),--stage $(STAGE)) \
		$(if $(CHECKPOINTS),--checkpoints) \
		$(if $(YES),--yes)

# pip 25.1 is the first that installs a dependency group from pyproject.toml. The lock comes first; what it leaves out
# (torch) comes by its pin.
.venv/core: pyproject.toml requirements.lock
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check "pip==26.3"
	.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	.venv/bin/pip install --quiet --disable-pip-version-check --group core
	@touch $@

.venv/dev: .venv/core
	.venv/bin/pip install --quiet --disable-pip-version-check --group dev
	@touch $@
