# Needs Python 3.11 or newer, make and git; everything else is installed into .venv from requirements.lock.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help install run test lint typecheck format check lock clean

help: ## show this list
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

install: $(INSTALLED) ## make .venv from requirements.lock, with uv where there is one

# What an older installation left in site-packages/echelon would hide the package of this checkout.
$(INSTALLED): requirements.lock pyproject.toml hatch_build.py
	@echo "installing $$(grep -c '==' requirements.lock) packages into .venv; a fresh clone takes a minute or two"
	@rm -rf .venv/lib/python3*/site-packages/echelon
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv --quiet --allow-existing --python $(PYTHON) .venv && \
	  uv pip install --python $(BIN)/python --no-deps --require-hashes -r requirements.lock && \
	  uv pip install --python $(BIN)/python --no-deps --no-build-isolation -e . ; \
	else \
	  $(PYTHON) -m venv .venv && \
	  $(BIN)/python -m pip install --disable-pip-version-check --no-deps --require-hashes -r requirements.lock && \
	  $(BIN)/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation -e . ; \
	fi
	@rm -rf .venv/lib/python3*/site-packages/echelon
	@touch $(INSTALLED)

run: install ## audit this repository; the report is in audit-report/
	$(BIN)/echelon run flows/audit.py:audit --param path=. --out audit-report

test: install ## run all tests
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: install ## check style and architecture
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

typecheck: install ## check types
	$(BIN)/pyright

format: install ## put the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: lint typecheck test ## everything that CI checks

lock: ## resolve the dependencies anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --extra dev --generate-hashes --no-emit-index-url \
	  --no-header --upgrade pyproject.toml -o requirements.lock

clean: ## remove what was installed and cached
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis .import_linter_cache audit-report
