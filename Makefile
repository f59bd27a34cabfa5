# The commands of this repository. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20

.DEFAULT_GOAL := help
.PHONY: help setup run stop clean tool test test-long conformance check bench load docs prices lock

help: ## List the commands
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.installed node_modules/.installed ## Install the pinned Python and npm packages, nothing else

$(VENV)/.installed: requirements/dev.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python is missing: apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer with venv is needed: apt-get install python3 python3-venv, or PYTHON=/path make setup"; exit 1; }
	@echo "Installing the Python packages into $(VENV) (about a minute) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

node_modules/.installed: package-lock.json
	@command -v npm >/dev/null || { echo "Node.js is missing: install Node 20 with npm"; exit 1; }
	@echo "Installing the npm packages ..."
	@npm ci --silent --no-fund --no-audit
	@touch $@

run: setup ## Start the whole stack on this machine, ingest the samples, ask a question
	@$(BIN)/python -m local.demo

stop: ## Stop the stack and keep its data
	@test ! -x $(BIN)/plinth || $(BIN)/plinth down

clean: stop ## Stop the stack and remove its data and everything built
	rm -rf .plinth build cdk.out

tool: setup ## Begin a tool for models: make tool NAME=convert_units
	@$(BIN)/python -m layers.new_tool "$(NAME)"

test: setup ## Run every test but the long ones (unit, contract, ASL, CDK, integration)
	$(BIN)/python -m pytest -m "not long"

test-long: setup ## Run the long tests as well
	$(BIN)/python -m pytest

conformance: setup ## Compare the search engine with OpenSearch: a node from Maven, and OPENSEARCH_URL=... if given
	$(BIN)/python -m pytest tests/conformance

check: setup ## Run the linters, type checkers and scans that CI runs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy functions layers/plinth/python/plinth layers/*.py cdk local client app.py bench
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/bandit -q -ll -c pyproject.toml -r functions layers/plinth local client cdk
	$(BIN)/python -m pytest -q tests/asl tests/cdk
	git ls-files -z | xargs -0 $(BIN)/detect-secrets-hook --baseline .secrets.baseline
	@! git grep -nIE 'sk-ant-[a-z0-9]+-[A-Za-z0-9_-]{20,}|pl_[a-z]+_[a-z0-9]{12,}_[A-Za-z0-9]{32,}_[0-9a-f]{8}' || \
		{ echo "A model or Plinth API key is in the repository: revoke it, then remove it"; exit 1; }

bench: setup ## Measure, as ratios to a reference of the same run, into bench/results
	$(BIN)/python -m bench

load: setup ## Measure a hundred runs in flight and 1,600 documents on a failing network, into bench/results
	$(BIN)/python -m bench load document_load

docs: setup ## Generate docs/generated again
	$(BIN)/python -m docs.generate

prices: setup ## Generate the price file again from the price database and layers/kept_prices.toml
	$(BIN)/python -m layers.prices

lock: setup ## Lock the Python packages again with hashes and without any registry's address
	$(LOCK) requirements/dev.in --output-file requirements/dev.txt
	for layer in requirements/layer-*.in; do \
		$(LOCK) --no-deps --no-annotate $$layer --output-file $${layer%.in}.txt || exit 1; done
