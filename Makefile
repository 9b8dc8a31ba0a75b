# One command for each wish.  No logic here, only calls.  CI runs `make check` and `make test-slow`.
.DEFAULT_GOAL := help
.PHONY: help run test test-slow test-pairs test-browser check demo drill bench fix docs migration clean
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
NEEDS := setup.cfg pyproject.toml constraints.txt

# The servers that tests and benchmarks start are installed ones: what they import is compiled once, not at each start.
unexport PYTHONDONTWRITEBYTECODE

help:            ## show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/run   ## the server, on http://localhost:8000
	$(BIN)/connectme serve

test: .venv/dev  ## all tests but the slow ones, or some: make test T=tests/inbox
	$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder $(T)

test-slow: .venv/dev  ## what takes minutes: hostile peers, kill -9, outages, the API as a tool tries it
	$(BIN)/pytest -m slow tests

test-pairs: .venv/dev  ## of the tests, those of two real servers
	$(BIN)/pytest -m pairs

test-browser: .venv/dev  ## of the tests, those in Chromium
	$(BIN)/pytest -m browser

check: .venv/dev ## style, types, layers, tests; CI runs it, and test-slow
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(MAKE) --no-print-directory test

demo: .venv/run  ## two servers on this machine that talk with each other
	$(BIN)/python -m connectme.demo

drill: .venv/dev ## the outage replayed, each fault on a real server, into docs/reliability.md, or some: ONLY=disk; minutes
	$(BIN)/python -m tests.outage docs/reliability.md $(addprefix --only ,$(ONLY))

bench: .venv/dev ## rates and CPU time of the hot paths, on SQLite and PostgreSQL
	$(BIN)/python -m benchmarks

fix: .venv/dev   ## let the tools repair what they can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/dev  ## write the pages of docs/ that are made from the code
	$(BIN)/python -m web.api.coverage docs/mastodon-api.tsv docs/api-coverage.md
	$(BIN)/python -m ops.doctor.runbook docs/admin/runbook.md

migration: .venv/dev  ## a new migration: make migration name="host last heard"
	$(BIN)/connectme db draft "$(name)"

clean:           ## forget .venv and all caches; your data stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info build

.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit("ConnectMe needs Python 3.11 or newer: make PYTHON=python3.13 ..." if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	@touch $@

.venv/run: .venv/made $(NEEDS)
	$(INSTALL) --editable '.[postgres]'
	@touch $@

.venv/dev: .venv/made $(NEEDS)
	$(INSTALL) --editable '.[dev,postgres]'
	@touch $@ .venv/run
