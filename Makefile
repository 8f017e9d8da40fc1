# One verb per task, the same here and in CI. `make help` prints them.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help install demo chaos bench-dispatch bench-evaluate bench-ingest bench-read test test-load check format lock schema docs clean mutants tokens bench-audit screenshots isolation canary sbom changes consent

help: ## print the verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

install: $(STAMP) ## build the environment in .venv from the hashed lock

$(STAMP): requirements/hub.txt requirements/dev.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with PYTHON=...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@sed -n '/^uv==/,/[^\\]$$/p' requirements/dev.txt > $(VENV)/uv.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r $(VENV)/uv.txt 2> $(VENV)/pip.log || { cat $(VENV)/pip.log; exit 1; }
	@echo "Installing the locked dependencies ..."
	@$(BIN)/uv pip install -q --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/hub.txt
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $(STAMP)

demo: install ## the main job, end to end, against simulated platforms on loopback (ARGS="--once --json")
	@$(BIN)/hub demo $(ARGS)

chaos: install ## kill, freeze and stop everything while 100,000 records are synced; then audit (ARGS="--kills 20 --records 10000")
	@$(BIN)/python -m bench.chaos $(ARGS)

bench-dispatch: install ## 5,000 connections due in one second, a platform that hangs, workers told to stop under load (ARGS="--connections 500")
	@$(BIN)/python -m bench.dispatch $(ARGS)

tokens: install ## 50 workers refresh the same grants, 200 workers are killed while they do; then count (ARGS="--workers 10 --expiries 8 --kills 8")
	@$(BIN)/python -m bench.tokens $(ARGS)

bench-audit: install ## reads with and without the audit chain, the API killed while it is read, a long chain verified (ARGS="--reads 600 --kills 5")
	@$(BIN)/python -m bench.audit $(ARGS)
isolation: install ## two partners through pgbouncer, 100,000 requests, three in ten cancelled: nobody sees another's (ARGS="--requests 2000")
	@$(BIN)/python -W ignore -m bench.isolation $(ARGS)

canary: install ## made persons go the whole way, much goes wrong; then 10,000 names, numbers and secrets are looked for everywhere (ARGS="--canaries 1000")
	@$(BIN)/python -W ignore -m bench.canary $(ARGS)
consent: install ## 10,000 made-up lives of consents against the real store: nothing is fetched or read outside (ARGS="--lives 500 --seed 7")
	@$(BIN)/python -m bench.consent $(ARGS)

bench-evaluate: install $(VENV)-bench/.installed ## a portfolio evaluated anew on 2 cores, beside DuckDB over the same tables (ARGS="--customers 100000")
	@$(BIN)/python -m bench.evaluate $(ARGS)

bench-ingest: install $(VENV)-bench/.installed ## ingest rate and memory, beside dlt and bare COPY (ARGS="--rounds 5")
	@$(BIN)/python -m bench.ingest $(ARGS)

bench-read: install $(VENV)-bench/.installed ## GraphQL reads a second, beside PostGraphile 5 and pgbench; needs wrk (ARGS="--customers 1000000")
	@$(BIN)/python -W ignore -m bench.read $(ARGS)

mutants: install $(VENV)-mutants/.installed ## change the code of tokens, consents, leases, masks and keys a little, 1,300 times: do the tests notice? (ARGS="'hub.vault.*'")
	@$(BIN)/python -m bench.mutants $(ARGS)

$(VENV)-mutants/.installed: requirements/mutants.txt
	@test -x $(VENV)-mutants/bin/python || $(BIN)/python -m venv --without-pip $(VENV)-mutants
	@$(BIN)/uv pip install -q --python $(VENV)-mutants/bin/python --require-hashes -r requirements/mutants.txt
	@touch $@

$(VENV)-bench/.installed: requirements/bench.txt
	@test -x $(VENV)-bench/bin/python || $(BIN)/python -m venv --without-pip $(VENV)-bench
	@$(BIN)/uv pip install -q --python $(VENV)-bench/bin/python --require-hashes -r requirements/bench.txt
	@touch $@

test: install ## every check: lint, types, layout and the whole suite
	@$(BIN)/ruff check -q .
	@$(BIN)/ruff format -q --check .
	@$(BIN)/mypy
	@$(BIN)/pytest -q -n 2 $(ARGS)

test-load: install ## the tests that load the machine: kills, freezes, tokens and dispatch in small, each with its controls
	@$(BIN)/pytest -q -m load $(ARGS)

screenshots: install ## walk the link pages in Chromium, every state in both languages on a phone and at a desk, and keep the pictures (TO=folder)
	@HUB_SCREENSHOTS=$(abspath $(or $(TO),screenshots)) $(BIN)/pytest -q -m load tests/hub/link/test_browser.py $(ARGS)
	@echo "The pictures are in $(or $(TO),screenshots)."

format: install ## format the code
	@$(BIN)/ruff check -q --fix . && $(BIN)/ruff format -q .

sbom: install ## what the hub is made of, as CycloneDX on stdout
	@$(BIN)/python -m bench.sbom

schema: install ## print the GraphQL contract into schema/schema.graphql
	@$(BIN)/python -m schema.contract > schema/schema.graphql

changes: install ## what changed in the contract since the last release (ARGS=--release: today's is the released one)
	@$(BIN)/python -m schema.evolution $(ARGS)

docs: install ## write the generated reference pages
	@$(BIN)/python -m hub.cli.reference .

lock: install ## compile requirements/*.in into hashed locks without addresses
	@cd requirements && for name in hub dev bench mutants; do ../$(BIN)/uv pip compile -q --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links $$name.in -o $$name.txt; done

clean: ## remove what can be rebuilt
	rm -rf $(VENV) $(VENV)-bench $(VENV)-mutants mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
