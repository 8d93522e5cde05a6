# The two commands of the README, what .ci/run checks beside them, and the releases at both ends.
PYTHON ?= python3
VENV ?= .venv
# The releases that are installed: constraints.txt, or nothing for the newest of each.
CONSTRAINTS ?= constraints.txt
PIP = $(VENV)/bin/python -m pip install --quiet $(CONSTRAINTS:%=--constraint %)
# torch's lock is moved by hand: each release is gigabytes, and not every machine has each of them.
TORCH = 2.13.0
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: quickstart test test-fast slow lint site links notebooks lock test-newest test-oldest test-with harness

quickstart: $(VENV)/installed
	$(VENV)/bin/hornbook quickstart

test: $(VENV)/installed-test
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n 2 -m "not slow and not gpu"

test-fast: $(VENV)/installed-test
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n 2 --fast

slow: $(VENV)/installed-all
	$(VENV)/bin/python -m pytest -m slow

# The tests that ask lm-evaluation-harness, each of them: without it they would be skipped, and here they fail then.
harness: $(VENV)/installed-test
	$(PIP) --editable ".[test,eval]"
	HORNBOOK_ALL=eval OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest tests/evaluation/test_harness.py tests/evaluation/test_harness_families.py

lint: $(VENV)/installed-test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

# The documentation, strictly: runs/site/index.html. Its packages are not in the lock, since nothing else needs them.
site: $(VENV)/installed-docs
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/python -m mkdocs build --strict

# Every link of the built site, also those that lead outward: it needs a network.
links: site
	$(PIP) linkchecker
	$(VENV)/bin/linkchecker --check-extern --no-status --no-warnings runs/site/index.html

# Runs the notebooks at their full length, and keeps what they print for the documentation.
notebooks: $(VENV)/installed
	$(PIP) --editable ".[notebooks]"
	$(VENV)/bin/python docs/site/run_notebooks.py

# Moves the lock to this day's releases; Gradio (extra play) needs an older pillow. CONTRIBUTING.md says what to run before it is committed.
lock: .venv-tools/bin/uv
	printf "torch==$(TORCH)\npillow<13\n" | .venv-tools/bin/uv pip compile pyproject.toml --extra test --upgrade --universal \
	  --python-version 3.11 --constraint - --no-header --no-annotate --quiet --output-file constraints.txt

# Newest and oldest are resolved anew each time.
test-newest:
	rm -rf .venv-newest
	$(MAKE) test VENV=.venv-newest CONSTRAINTS=

test-oldest: .venv-tools/bin/uv
	rm -rf .venv-oldest
	.venv-tools/bin/uv pip compile pyproject.toml --extra test --resolution lowest-direct \
	  --python $(PYTHON) --no-header --no-annotate --quiet --output-file .venv-tools/oldest.txt
	$(MAKE) test VENV=.venv-oldest CONSTRAINTS=.venv-tools/oldest.txt

# The lock with another release of one library: make test-with RELEASE=transformers==5.21.1
test-with: .venv-tools/bin/uv
	rm -rf .venv-with
	grep -v "^$(firstword $(subst =, ,$(RELEASE)))==" constraints.txt > .venv-tools/with.txt
	echo "$(RELEASE)" >> .venv-tools/with.txt
	$(MAKE) test VENV=.venv-with CONSTRAINTS=.venv-tools/with.txt

.venv-tools/bin/uv:
	$(PYTHON) -m venv .venv-tools
	.venv-tools/bin/python -m pip install --quiet uv

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml $(CONSTRAINTS) | $(VENV)/bin/python
	$(PIP) --editable .
	touch $@

$(VENV)/installed-docs: pyproject.toml | $(VENV)/bin/python
	$(PIP) --editable ".[docs]"
	touch $@

# All that the slow tests need: kernels, the playground and Lightning too.
$(VENV)/installed-all: pyproject.toml $(CONSTRAINTS) | $(VENV)/bin/python
	$(PIP) --editable ".[test,notebooks,play,docs]" lightning
	touch $@

$(VENV)/installed-test: pyproject.toml $(CONSTRAINTS) | $(VENV)/bin/python
	$(PIP) --editable ".[test]"
	touch $@
