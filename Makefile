# Pratique. `make run` shows it at work, `make test` proves it; both set up everything they need.
.PHONY: help setup peers run test check bench nightly docs pictures lock clean
.DEFAULT_GOAL := help
ARGS ?=
B := .venv/bin

help: ## show these lines
	@sed -n 's/^\([a-z]*\):.*## /  make \1|/p' Makefile | column -ts '|' 2>/dev/null || sed -n 's/^\([a-z]*\):.*## /  make \1  /p' Makefile

setup: ## the virtual environment in .venv and, as root, the lab's system packages
	@tools/setup run

peers: ## as root: the real peers (FreeRADIUS, PostgreSQL, Chromium, ...) of tests and benchmarks
	@tools/setup peers

run: setup ## the main job: a small site, and one unknown program on it (ARGS=--help explains more)
	@$(B)/pratique lab up $(ARGS)

test: ## everything that must hold: `make check`, then all tests against the real peers (PEERS=skip leaves those out)
	@tools/setup test
	@tools/setup peers
	@$(MAKE) --no-print-directory check
	$(B)/pytest $(ARGS)

check: ## lint, format, types, imports, dependencies, dead code, docs
	@tools/setup test
	$(B)/ruff check .
	$(B)/ruff format --check --quiet .
	$(B)/mypy
	$(B)/lint-imports --no-cache
	$(B)/deptry --no-ansi .
	@! $(B)/vulture | grep -v 'unused \(variable\|attribute\)'  # fields are read by templates and wires
	@$(MAKE) --no-print-directory docs

docs: ## build the documentation into site/
	$(B)/zensical build --clean

bench: ## all benchmarks, quickly; each prints one JSON object
	@tools/setup test
	@tools/setup peers
	@for b in benchmarks/[a-z]*.py; do $(B)/python $$b --quick --json || exit 1; done

nightly: test ## what takes longer: deliberate faults, mutants, the benchmarks in full
	$(B)/python -m tests.faults
	$(B)/python -m tests.mutation
	@for b in benchmarks/[a-z]*.py; do $(B)/python $$b --json || exit 1; done

pictures: ## make the pictures of README and docs anew
	@tools/setup test
	@tools/setup peers
	$(B)/python docs/pictures.py

lock: ## resolve the dependencies anew (needs uv); versions and hashes for Python 3.11 to 3.14
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-emit-package pratique --custom-compile-command 'make lock' requirements/all.in -o requirements/all.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-emit-package pratique --custom-compile-command 'make lock' -c requirements/all.lock requirements/run.in -o requirements/run.lock

clean: ## remove what was made, the environment included
	rm -rf .venv site build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
