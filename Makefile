# Everything runs from .venv, which is made from the locked environment.
PYTHON ?= python3
# The build of PyTorch: `make TORCH_INDEX=<URL of an index of PyTorch builds> …` picks one, see docs/install.md.
TORCH_INDEX ?=
FROM_TORCH_INDEX = $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX))
CORES ?= all
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --no-compile
SNAKEMAKE := $(BIN)/snakemake --cores $(CORES) --quiet rules --

.PHONY: help all site test pytest fuzz gpu-proof test-slurm lint lock docs docs-site clean
help:
	@echo "make results/table1.csv  run the whole comparison on open data (minutes on a laptop)"
	@echo "make all                 every table and figure"
	@echo "make site                results/site/index.html: all tables, bodies and curves in a browser"
	@echo "make test                check the code (tests, types, style) and a small run of the workflow"
	@echo "make test-slurm          run the workflow on a one-node Slurm cluster that it starts here (root, Debian)"
	@echo "make fuzz                60,000 damaged files for the readers of foreign files (minutes)"
	@echo "make gpu-proof           prove on this machine's GPU that all is right, and how fast (10 minutes after set-up)"
	@echo "make lint                types and style only"
	@echo "make docs                write the generated pages of docs/"
	@echo "make docs-site           docs-site/: docs/ as a site with a search; every link is checked"
	@echo "make lock                pin the newest versions that pyproject.toml allows"
	@echo "make clean               remove results, logs and the environment"

all: $(BIN)/.ready
	$(SNAKEMAKE) all

site: $(BIN)/.ready
	$(SNAKEMAKE) site

results/%: $(BIN)/.ready FORCE
	$(SNAKEMAKE) $@

# Three processes with one thread each, as they wait for others a third of their time. Files in their order: xdist would
# put those of few tests last, which take longest.
test: $(BIN)/.ready
	$(MAKE) --no-print-directory -j 2 lint pytest

pytest: $(BIN)/.ready
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder tests

# Damaged files for every reader; FUZZ_SEED repeats a campaign.
fuzz: $(BIN)/.ready
	OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python -m fuzz 60000 $(FUZZ_SEED)

# A run at smoke size, on the CPU, in a folder of its own; its trainings are what is compared.
gpu-proof: $(BIN)/.ready
	mkdir -p gpu-proof && cp config.yaml gpu-proof
	$(BIN)/snakemake --cores $(CORES) --quiet rules --directory gpu-proof --configfile workflow/presets/smoke.yaml -- all
	$(BIN)/repose bench gpu --results gpu-proof/results --out gpu-proof/out

test-slurm: $(BIN)/.ready
	tests/slurm/cluster.sh up
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest tests/slurm

lint: $(BIN)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

# The lock pins everything but torch and torchvision, whose builds are a matter of the machine. torchvision, which only
# tests need, lies aside: one that is not of torch's build breaks every import of torchmetrics. pip would compile on one
# core, and the tests of libraries, too: half of the minutes that it takes.
$(BIN)/.ready: envs/requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(PIP) --no-deps --require-hashes -r envs/requirements.lock
	$(PIP) $(FROM_TORCH_INDEX) torch==2.13.0
	$(PIP) --no-deps --no-build-isolation --editable .
	$(BIN)/python -m pip check
	$(PIP) --no-deps --upgrade --target .venv/torchvision $(FROM_TORCH_INDEX) torchvision==0.28.0
	$(BIN)/python -m compileall -qq -j 0 -x '/tests?/' .venv/lib .venv/torchvision || true  # some packages carry templates that are no Python
	touch $@

lock: $(BIN)/.ready
	envs/lock.sh

docs: $(BIN)/.ready
	$(BIN)/repose config --write docs
	$(BIN)/python docs/ledger/ledger.py

# MkDocs and its theme are no part of the locked environment, which nobody else needs them in.
DOCS := $(shell sed -n 's/^docs = \["\([^"]*\)"\].*/\1/p' pyproject.toml)
.venv-docs/.ready: pyproject.toml
	$(PYTHON) -m venv .venv-docs
	.venv-docs/bin/python -m pip install --quiet "$(DOCS)"
	touch $@

docs-site: .venv-docs/.ready
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict
	@echo "look at it: python3 -m http.server --directory docs-site"

clean:
	rm -rf .venv .venv-docs .snakemake logs benchmarks gpu-proof docs-site results/*

FORCE:
