# `make` alone lists the targets. The pins live in requirements/, the tools' settings
# in pyproject.toml.
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
STAMP := .venv/.setup-done
BACKENDS := .venv-backends
S3 := .venv-s3

# Real data sets for the tests that want them; without, those tests are skipped.
ifndef POSO_DATA_DIR
ifneq ($(wildcard ../shared/data),)
export POSO_DATA_DIR := $(abspath ../shared/data)
endif
endif

# Existing pins stay unless UPGRADE=1. The two distributions themselves are no pins.
COMPILE = $(BIN)/uv pip compile - --quiet --generate-hashes \
  --no-emit-package poso --no-emit-package poso-keras \
  --custom-compile-command "make lock" $(if $(filter 1,$(UPGRADE)),--upgrade)
# One lock for Python 3.11 to 3.13; pyproject.toml says for which machines.
CURRENT = $(COMPILE) --universal --python-version 3.11
WITH_TENSORFLOW_IO = $(COMPILE) --python-version 3.10

# Files side by side, one per core; what a file shares is made once.
PARALLEL = -n auto --dist loadfile

# Which lines the tests never reach, in `make test-all COVERAGE=1` (slower).
ROOMS = poso_keras preprocessing pipeline serving simulator cli experiments
COVER = $(if $(COVERAGE),$(ROOMS:%=--cov=%) --cov-report=term:skip-covered)

.PHONY: help setup lock proto test test-all test-fast test-keras3 test-backends test-backends-fast \
  test-clients test-kills test-layouts test-s3 test-travel test-fresh lint types format demo submergence docs bench-layers bench-features bench-check bench-serving \
  bench-evaluation-memory bench-training bench-pipeline clean

help:  ## List the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 26

setup: $(STAMP)  ## Make .venv from the lock that fits this machine (instant when up to date)

$(STAMP): requirements/current/dev.txt requirements/tensorflow-io/dev.txt setup.py application/setup.py VERSION
	@scripts/make-venv
	@touch $@

# PYTHON may ask for another environment than the one that is up to date.
ifdef PYTHON
.PHONY: $(STAMP)
endif

lock: $(STAMP)  ## Recompile requirements/ from both setup.py (UPGRADE=1: newest versions)
	printf '%s\n' ./ './application[pipeline,serving,redis,avro,delta,sql,benchmarks,experiments,dev]' \
	  | $(CURRENT) --output-file requirements/current/dev.txt
	printf '%s\n' ./ './application[pipeline,serving]' | $(CURRENT) \
	  --constraint requirements/current/dev.txt --output-file requirements/current/pipeline.txt
	printf '%s\n' ./ './application[pipeline,serving,tensorflow-io,redis,avro,delta,sql,benchmarks,experiments,dev]' \
	  | $(WITH_TENSORFLOW_IO) --output-file requirements/tensorflow-io/dev.txt
	printf '%s\n' ./ './application[pipeline,serving,tensorflow-io]' | $(WITH_TENSORFLOW_IO) \
	  --constraint requirements/tensorflow-io/dev.txt \
	  --output-file requirements/tensorflow-io/pipeline.txt

proto:  ## Compile the .proto files of serving/ (needs to be done only when one changes)
	@scripts/make-proto

test: $(STAMP)  ## Run the tests on the locked versions (others: test-keras3, -backends, -clients, -s3)
	@$(BIN)/python -m pytest $(PARALLEL) -m "not long" $(COVER)

test-all: $(STAMP)  ## Run those marked long as well: killed trainings, parameter servers, days again
	@$(BIN)/python -m pytest $(PARALLEL) $(COVER)

test-fast: $(STAMP)  ## Run the tests, less those marked e2e (pipelines, servers, trainings)
	@$(BIN)/python -m pytest $(PARALLEL) -m "not e2e"

test-keras3: $(STAMP)  ## Run the tests of poso_keras under Keras 3
	@TF_USE_LEGACY_KERAS=0 $(BIN)/python -m pytest $(PARALLEL) tests/poso_keras

# Newer versions than the pipeline's, so an environment of their own, of Python 3.11 on.
$(BACKENDS)/.setup-done: requirements/backends.txt
	@python3 -m venv --clear $(BACKENDS)
	@$(BACKENDS)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# One line per backend of what runs on the newest versions; tf_keras is one of them.
define ON_BACKENDS
@set -e; for backend in tf_keras tensorflow jax torch; do \
  echo "== $$backend"; legacy=0; \
  if [ $$backend = tf_keras ]; then legacy=1; backend=tensorflow; fi; \
  TF_USE_LEGACY_KERAS=$$legacy KERAS_BACKEND=$$backend \
    $(BACKENDS)/bin/python -m pytest $(PARALLEL) $(1); \
done
endef

test-backends: $(BACKENDS)/.setup-done  ## Run them on the newest tf_keras and on Keras 3 with TensorFlow, JAX, PyTorch
	$(call ON_BACKENDS,tests/poso_keras tests/docs tests/examples)

test-backends-fast: $(BACKENDS)/.setup-done  ## Of these the layers' contract and gauc alone
	$(call ON_BACKENDS,$(wildcard tests/poso_keras/test_poso_*.py) \
	  tests/poso_keras/test_code_rows.py tests/poso_keras/test_mlp.py tests/poso_keras/test_mmoe.py \
	  tests/poso_keras/test_personalization_gate.py tests/poso_keras/test_bucket_encoding.py \
	  tests/poso_keras/test_sequence_attention.py tests/poso_keras/test_gauc.py)

test-kills: $(STAMP)  ## Kill a whole run 20 times, fill its disk, and go on (half an hour; as root)
	@POSO_TEST_KILLS=20 $(BIN)/python -m pytest -rP tests/pipeline/test_killed_runs.py \
	  tests/pipeline/test_full_disks.py

test-layouts: $(STAMP)  ## Run `poso init` and `poso run` on logs in ten layouts (ten minutes)
	@POSO_TEST_LAYOUTS=1 $(BIN)/python -m pytest -m e2e tests/cli/test_init_command.py

test-clients: $(STAMP)  ## Run others' TensorFlow Serving clients against the server
	@POSO_TEST_CLIENTS=1 $(BIN)/python -m pytest -rP tests/serving/clients

# Its S3 server has packages that ours are not made for, so an environment of its own.
$(S3)/.setup-done: requirements/s3-server.txt
	@python3 -m venv --clear $(S3)
	@$(S3)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

test-s3: $(STAMP) $(S3)/.setup-done  ## Run the tests against an S3 server, a whole run among them
	@POSO_TEST_S3=1 $(BIN)/python -m pytest tests/preprocessing/storage tests/cli/test_object_store.py

# Run it in environments of both stacks, with one folder in POSO_TRAVEL.
test-travel: export POSO_TRAVEL ?= $(CURDIR)/runs/travel
test-travel: $(STAMP)  ## Write models, states, stores here; read those of the other stack
	@$(BIN)/python -m pytest -rs tests/test_travel.py

test-fresh:  ## Run README's commands on a fresh Debian 13 (root, debootstrap; SUITE=bookworm)
	@scripts/test-fresh $(or $(SUITE),trixie) $(TARGETS)

lint: $(STAMP)  ## Check style and formatting
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(STAMP)  ## Check types
	@$(BIN)/mypy
	@$(BIN)/mypy --strict --cache-dir .mypy_cache/strict poso_keras

docs: $(STAMP)  ## Build the documentation site into site/, links checked
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

format: $(STAMP)  ## Format and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

demo: $(STAMP)  ## Simulate a feed, train on it, evaluate and serve
	@$(BIN)/poso demo

submergence: $(STAMP)  ## Repeat the result on rare new users: plain, control, POSO, five seeds (about an hour)
	@$(BIN)/python -m experiments.submergence

bench-layers: $(STAMP)  ## Measure what poso_keras claims (docs/benchmarks.md)
	@$(BIN)/python -m benchmarks.layers

bench-features: $(STAMP)  ## Measure the feature engine against its peers (ten minutes)
	@$(BIN)/python -m benchmarks.features

bench-check: $(STAMP)  ## Measure poso check against the feature engine alone (five minutes)
	@$(BIN)/python -m benchmarks.log_check

bench-serving: $(STAMP)  ## Measure the embedded server on the demo's model (six minutes)
	@$(BIN)/python -m benchmarks.serving

bench-evaluation-memory: $(STAMP)  ## Measure the memory of the report's scoring (ten minutes)
	@$(BIN)/python -m benchmarks.evaluation_memory

bench-training: $(STAMP)  ## Measure the training loop, its input and its largest table (ten minutes)
	@$(BIN)/python -m benchmarks.training

bench-pipeline: $(STAMP)  ## Measure a whole run on 0.15, 1 and 4 M rows, and the demo (half an hour)
	@$(BIN)/python -m benchmarks.pipeline --demo

clean:  ## Remove .venv, caches and build outputs; runs/ stays
	rm -rf .venv $(BACKENDS) $(S3) build dist site *.egg-info application/build .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
