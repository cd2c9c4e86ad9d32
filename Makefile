# make run    install what is missing, start the workbench, print its address
# make test   the whole test suite (browser tests need Chromium: apt-get install chromium)
# make check  format, lint, types, layers, fast tests: under two minutes
PYTHON ?= python3
PORT ?= 8501
WORKSPACE ?= data/workspace
BIN := .venv/bin
# Models come inside packages; nothing is looked up on the network while the program runs.
export HF_HUB_OFFLINE = 1

.PHONY: run test check format samples clean

run: .venv/installed
	@echo "Retrieval Workbench: http://127.0.0.1:$(PORT)"
	@WORKBENCH_WORKSPACE="$(WORKSPACE)" $(BIN)/python -m workbench.ui.server --server.port=$(PORT)

test: .venv/installed-dev
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: .venv/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --config .importlinter
	$(BIN)/python -m pytest -m "not slow and not browser" -q -n 2 --dist loadfile

format: .venv/installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

samples: .venv/installed-dev
	$(BIN)/python data/samples/make_samples.py

clean:
	rm -rf .venv build dist *.egg-info

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make run PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip

.venv/installed: requirements.txt | .venv/bin/python
	@echo "Installing packages and models (about 3 GB with torch; some minutes, once)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/installed-dev: pyproject.toml .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@
