# Every way to build, run, test and operate CheckOP on one machine. `make` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PY := $(BIN)/python
PYTEST := $(BIN)/python -m pytest
# On every core; all of them must find the same tests, and some are made from sets of words.
SPREAD := PYTHONHASHSEED=0 $(PYTEST) -n auto
SOURCES := $(wildcard services gateway deploy tests bench)
LOCKS := requirements/dev.lock requirements/engines.lock

export PIP_DISABLE_PIP_VERSION_CHECK := 1

##@ Begin

.PHONY: help
help:  ## This list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(READY)  ## Python environment and engines, exactly as locked

$(READY): $(LOCKS)
	@PYTHON="$(PYTHON)" deploy/local/make-venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements/dev.lock
	$(BIN)/pip install --quiet --require-hashes --no-deps -r requirements/engines.lock
	@touch $@

.PHONY: run
run: $(READY)  ## The whole platform on this machine; Ctrl-C ends it
	@exec $(PY) -m deploy.local up

.PHONY: demo
demo: $(READY)  ## A story told by the running platform, step by step
	@exec $(PY) -m deploy.demo.story

.PHONY: status
status: $(READY)  ## What runs, where it listens, who may log in
	@$(PY) -m deploy.local status

.PHONY: down
down: $(READY)  ## End what `make run` started
	@$(PY) -m deploy.local down

##@ Check

.PHONY: test
test: setup lint types arch duplicates catalog-check unit contract  ## Everything that must pass before a change goes in
	@$(MAKE) -j2 --output-sync=target faults system integration  # each on engines of its own, and mostly waiting

.PHONY: lint
lint: $(READY)  ## Style and suspicious code
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)

.PHONY: format
format: $(READY)  ## Put the code into the house style
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

.PHONY: types
types: $(READY)  ## Types
	$(BIN)/mypy

.PHONY: arch
arch: $(READY)  ## Who may import whom
	PYTHONPATH=. $(BIN)/lint-imports

.PHONY: duplicates
duplicates: $(READY)  ## What stands in two places
	$(BIN)/pylint --disable=all --enable=duplicate-code --min-similarity-lines=6 --ignore-signatures=yes \
		--score=no $(filter-out tests,$(SOURCES))

.PHONY: unit
unit: $(READY)  ## Decisions, without any engine
	$(SPREAD) tests/unit

.PHONY: contract
contract: $(READY)  ## Promises between the parts
	$(SPREAD) tests/contract

.PHONY: integration
integration: $(READY)  ## Each part against real engines
	$(PYTEST) tests/integration

.PHONY: system
system: $(READY)  ## The whole platform through its front door
	$(PYTEST) tests/system

.PHONY: faults
faults: $(READY)  ## Crashes at every dangerous moment
	$(PYTEST) tests/faults

.PHONY: chaos
chaos: $(READY)  ## Minutes of random crashes under load
	$(PYTEST) tests/faults -m chaos --timeout=1800

.PHONY: bench
bench: $(READY)  ## Measure the hot paths beside raw baselines; writes bench/latest.json  [QUICK=yes]
	$(PY) -m bench $(if $(QUICK),--quick)

##@ Contracts between services

.PHONY: catalog
catalog: $(READY)  ## Write the catalogue of events and commands
	$(PY) -m services.kernel.catalog

.PHONY: catalog-check
catalog-check: $(READY)  ## Fail when the written catalogue is stale
	$(PY) -m services.kernel.catalog --check

.PHONY: golden
golden: $(READY)  ## Keep one stored example of every event that is new; never touches one that is there
	$(PY) -m tests.contract.golden_events

##@ Operate a running platform

.PHONY: health
health: $(READY)  ## How far everyone has followed, and whether something waits  [SERVICE=]
	$(OPERATOR) status $(call maybe,service)

.PHONY: verify-log
verify-log: $(READY)  ## Prove that no event is missing or doubled  [SERVICE=]
	$(OPERATOR) verify-log $(call maybe,service)

.PHONY: rebuild
rebuild: $(READY)  ## Build a read model anew  SERVICE= READMODEL=
	$(OPERATOR) rebuild $(call need,service) $(call need,readmodel)

.PHONY: replay
replay: $(READY)  ## Send history to one queue again  SERVICE= QUEUE= [FROM= TO= | STREAM=]
	$(OPERATOR) replay $(call need,service) $(call need,queue) $(call maybe,from) $(call maybe,to) $(call maybe,stream)

.PHONY: verify-media
verify-media: $(READY)  ## Prove that every piece of evidence is there, whole, and nothing else
	@$(PY) -m deploy.local exec -- $(PY) -m services.media.inventory

.PHONY: parked
parked: $(READY)  ## What waits for a person  [SERVICE=]
	$(OPERATOR) parked $(call maybe,service)

.PHONY: unpark
unpark: $(READY)  ## Let a stream go on  SERVICE= HANDLER= STREAM= [SKIP=yes REASON=]
	$(OPERATOR) unpark $(call need,service) $(call need,handler) $(call need,stream) $(if $(SKIP),--skip) $(call maybe,reason)

.PHONY: staff
staff: $(READY)  ## Let a person of Progresus in, or out  EMAIL= [NAME= ROLE=commercial|finance|support|legal|compliance | LEAVES=yes]
	$(PY) -m deploy.local exec -- $(PY) -m services.identity.staff $(call need,email) $(call maybe,name) $(call maybe,role) $(if $(LEAVES),--leaves)

##@ Keep house

# Package sources of one machine must not show in what all machines install.
.PHONY: lock
lock: $(READY)  ## Choose the newest versions that fit, with hashes
	@for part in base dev engines; do \
		echo "requirements/$$part.lock"; \
		(cd requirements && env PIP_CONFIG_FILE=/dev/null PIP_FIND_LINKS= PIP_EXTRA_INDEX_URL= ../$(BIN)/pip-compile --quiet --upgrade --generate-hashes --strip-extras --allow-unsafe \
			--no-header --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
			--output-file $$part.lock $$part.in); \
	done

.PHONY: clean
clean:  ## Remove what can be made again; data in .local stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .schemathesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

# `service` is the option --service and the variable SERVICE. What is needed and missing stops the command.
variable = $(shell tr a-z A-Z <<<'$(1)')
maybe = $(if $($(variable)),--$(1) '$($(variable))')
need = $(if $($(variable)),$(maybe),$(error say which: $(variable)=...))
# The operator talks to the engines of the platform that `make run` started, if it did.
OPERATOR = $(PY) -m deploy.local exec -- $(PY) -m services.kernel.operator
