# Every target sets itself up in .venv; nothing but Python 3.11 or newer and pip is needed.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
DEMO ?= demo

.PHONY: help setup demo serve test check docs clean

help:
	@echo "make demo    a dataset, its pictures and a trained flow network in $(DEMO)/ (minutes)"
	@echo "make serve   the service and its pages on http://127.0.0.1:8000, data in datagen-data/"
	@echo "make test    all tests"
	@echo "make check   formatting, lint, import contracts, types"
	@echo "make docs    regenerate what is generated from code"
	@echo "make clean   remove $(VENV) and $(DEMO)/"

setup: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11"; exit 1; }
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[train,service,dev]'
	touch $@

demo: setup
	$(PY) examples/demo.py --out $(DEMO)

serve: setup
	$(VENV)/bin/datagen serve

test: setup
	$(PY) -m pytest -n 2 --dist loadfile

check: setup
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/mypy

docs: setup
	$(PY) docs/generate.py

clean:
	rm -rf $(VENV) $(DEMO)
