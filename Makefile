# Everything a newcomer types. Needs Python 3.11 or newer with venv, a Python index and an npm index; each target
# installs what it needs into .venv and says what it is doing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= ./var
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test test-real soak demo bench lint wheel clean

run: $(VENV)/.run
	@exec $(BIN)/bongsu serve --data $(DATA) --local-agent

test: $(VENV)/.dev lint
	@echo "make test: everything that needs no other program, real ones where found"
	@$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile

test-real: $(VENV)/.dev
	@echo "make test-real: against the real programs; a missing one is a failure"
	@BONGSU_REAL=1 $(BIN)/python -m pytest -m "real or postgres or slow" -n 2 --dist loadfile

lint: $(VENV)/.dev
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports --no-logo

bench: $(VENV)/.dev
	@$(BIN)/python -m tests.bench

wheel: $(VENV)/.dev
	@$(BIN)/python -m collector.web.build
	@$(BIN)/python -m build --outdir dist .

clean:
	rm -rf $(VENV) dist collector/web/static/vendor

# Two stamps, so that `make run` does not install what only tests need. Packages and front end are fetched again
# when the files that name them change.
$(VENV)/bin/python:
	@echo "making $(VENV) with $(PYTHON)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name it: make PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(VENV)/bin/python pyproject.toml constraints.txt package-lock.json
	@echo "installing the collector and the agent into $(VENV) (first time: a minute)"
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[collector]'
	@$(BIN)/python -m collector.web.build || echo "pages will work without plots until the front end could be fetched"
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@echo "installing what tests need into $(VENV)"
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@
