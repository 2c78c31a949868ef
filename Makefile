# Every target that runs Python first makes the virtual environment; nothing else has to be installed but
# Python, Go and git.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PLUGINS ?= stand-in
STAMP := $(VENV)/.requirements-installed

.PHONY: help up preview status job verify render down clean catalog check test bench golden lock tools format

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): requirements-dev.txt
	@echo "installing Python packages into $(VENV) (about a minute)"
	@$(PYTHON) -c 'import sys; sys.exit("error: Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ": set PYTHON=…" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

up: $(STAMP) ## Bring up the whole platform on this machine (main job)
	@$(PY) -m local up --plugins $(PLUGINS)

preview: $(STAMP) ## Show what an update would change
	@$(PY) -m local preview

status: $(STAMP) ## Show what runs, logs, last job runs
	@$(PY) -m local status

job: $(STAMP) ## Run a deployed job: make job NAME=nightly-evidence REGION=eu-central-1
	@$(PY) -m local job "$(NAME)" "$(REGION)"

verify: $(STAMP) ## Verify the evidence of each region, offline
	@$(PY) -m local verify

render: $(STAMP) ## Write all objects of a stack as files: make render STACK=staging OUT=rendered
	@$(PY) -m local render "$(STACK)" "$(OUT)"

down: $(STAMP) ## Destroy the stack and end all processes
	@$(PY) -m local down

clean: $(STAMP) ## End all processes and delete all local state
	@$(PY) -m local clean

catalog: $(STAMP) ## Check the catalogue and print it
	@$(PY) -m catalog

tools: $(STAMP) ## Build or find the pinned programs
	@$(PY) -m tools install

check: $(STAMP) ## Lint, format and type check
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy

test: $(STAMP) tools ## Run all tests
	@$(PY) -m pytest --durations 10

bench: $(STAMP) tools ## Measure program start, growth and control-plane start
	@$(PY) -m tests.bench

golden: $(STAMP) ## Write the golden renderings anew
	@$(PY) -m tests.golden

format: $(STAMP) ## Format the code
	@$(VENV)/bin/ruff check --fix --quiet . ; $(VENV)/bin/ruff format .

lock: $(STAMP) ## Write requirements*.txt anew from pyproject.toml
	@$(VENV)/bin/uv pip compile --quiet pyproject.toml --generate-hashes --python-version 3.11 --no-header -o requirements.txt
	@$(VENV)/bin/uv pip compile --quiet pyproject.toml --group dev --generate-hashes --python-version 3.11 --no-header -c requirements.txt -o requirements-dev.txt
