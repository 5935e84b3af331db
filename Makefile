# Everything a newcomer types. Needs Python 3.11 or newer with venv, a Python index and an npm index; each target
# installs what it needs into .venv and says what it is doing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= ./var
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run demo test test-real soak bench lint web wheel clean

run: web
	@exec $(BIN)/bongsu serve --data $(DATA) --local-agent $(if $(PORT),--port $(PORT))

demo: web
	@exec $(BIN)/bongsu demo --data $(DATA)/demo $(if $(PORT),--port $(PORT))

test: $(VENV)/.dev web lint
	@echo "make test: everything quick that needs no other program, small real ones where found; PostgreSQL is in make test-real"
	@$(BIN)/python -m pytest -m "not slow and not postgres" -n 2 --dist loadfile

test-real: $(VENV)/.dev web
	@echo "make test-real: against the real programs; a missing one is a failure"
	@BONGSU_REAL=1 $(BIN)/python -m pytest -m "real or postgres or slow" -n 2 --dist loadfile

soak: $(VENV)/.dev
	@$(if $(SOAK),echo "going on with the seeds",$(BIN)/python tests/quiet_month.py)
	@$(BIN)/python tests/world/soak.py $(SOAK)

lint: $(VENV)/.dev
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports --no-logo

bench: $(VENV)/.dev
	@$(BIN)/python -m tests.bench

wheel: $(VENV)/.dev
	@$(BIN)/python -m collector.web.build
	@$(BIN)/python -m build --outdir dist .

# Asked each time, for it is instant where the files are there, and a registry may have been out of reach the last time.
web: $(VENV)/.run
	@$(BIN)/python -m collector.web.build || echo "going on without plots; the next make tries again"

clean:
	rm -rf $(VENV) dist collector/web/static/vendor

# Two stamps, so that `make run` does not install what only tests need. Packages are fetched again
# when the files that name them change.
$(VENV)/bin/python:
	@echo "making $(VENV) with $(PYTHON)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name it: make PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.run: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "installing the collector and the agent into $(VENV) (first time: a minute)"
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[collector]'
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@echo "installing what tests need into $(VENV)"
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@
