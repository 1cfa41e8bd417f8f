# Everything a developer types. `make` alone lists the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEVCLUSTER := PYTHONPATH=tests $(BIN)/python -m devcluster
PYTEST := $(BIN)/pytest

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-18s %s\n", $$1, $$2}'

$(VENV)/.made: requirements/dev.txt requirements/build.txt pyproject.toml
	@echo "Installing the locked development environment into $(VENV) ..."
	@$(PYTHON) tests/devcluster/bootstrap.py $(VENV)
	@touch $@

.PHONY: venv
venv: $(VENV)/.made ## Make the virtual environment

.PHONY: lock
lock: venv ## Lock the dependencies again (after a change in pyproject.toml)
	$(BIN)/uv pip compile -q --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 --upgrade pyproject.toml -o requirements/operator.txt
	$(BIN)/uv pip compile -q --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 --upgrade --group dev pyproject.toml -o requirements/dev.txt
	$(BIN)/uv pip compile -q --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 --upgrade requirements/build.in -o requirements/build.txt

.PHONY: check
check: venv ## Format, lint, types, import direction, dead code, dependencies and their known faults
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vulture
	$(BIN)/deptry operator
	$(BIN)/pip-audit --requirement requirements/operator.txt --disable-pip --require-hashes --progress-spinner off

.PHONY: format
format: venv ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: generate
generate: venv ## Write what is made from the models: CRD, chart, manifests, field reference
	PYTHONPATH=tests $(BIN)/python -m chart.generated
	$(BIN)/specdecode reference > docs/reference.md

.PHONY: test
test: test-unit test-apiserver test-chart test-e2e ## Every layer

.PHONY: test-unit
test-unit: venv ## Unit and property tests
	$(PYTEST) tests/unit tests/property

# The tests have deadlines; building from source, the first time, is no part of them.
.PHONY: tools
tools: venv
	@$(DEVCLUSTER) tools

.PHONY: prepare
prepare: venv
	@if [ "$$(id -u)" = 0 ]; then $(DEVCLUSTER) prepare; fi

.PHONY: test-apiserver
test-apiserver: tools ## Against a real etcd and kube-apiserver
	$(PYTEST) tests/apiserver

.PHONY: test-chart
test-chart: tools ## The Helm chart: lint, render, install
	$(PYTEST) tests/chart

.PHONY: test-e2e
test-e2e: prepare ## On a real cluster with kubelet, vLLM and Prometheus (needs root)
	$(PYTEST) tests/e2e

.PHONY: test-long
test-long: prepare ## What takes long: pre-flight against the real vLLM of several versions, and stories of an hour (needs root)
	$(PYTEST) tests/contract tests/soak

.PHONY: cluster-up
cluster-up: venv ## A real cluster on this machine, without Docker (needs root)
	@$(DEVCLUSTER) up

.PHONY: cluster-down
cluster-down: venv ## Remove it; what was built stays cached
	@$(DEVCLUSTER) down

.PHONY: cluster-status
cluster-status: venv ## What of it runs
	@$(DEVCLUSTER) status

.PHONY: demo
demo: venv ## The whole story with real parts, in about a quarter of an hour (needs root)
	@PYTHONPATH=tests $(BIN)/python -m demo

.PHONY: bench
bench: tools ## 500 resources against a real API server
	@PYTHONPATH=tests $(BIN)/python -m bench

.PHONY: montecarlo
montecarlo: venv ## How often the rules for breaches and trials are wrong, in simulated services
	@PYTHONPATH=tests $(BIN)/python -m montecarlo

.PHONY: clean
clean: ## Remove the virtual environment and caches of the tools
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
