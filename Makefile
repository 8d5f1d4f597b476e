# Every target makes what it needs, from a fresh clone on: Python 3.11 is all that has to be there.
# docs/development.md says the same as plain commands.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
SOURCES := $(shell find wire node sentinel cluster_client deploy -name '*.py' -o -name '*.lua') pyproject.toml setup.py

.PHONY: demo test soak bench image lint format docs clean help

help:
	@echo "make demo    bring a cluster up, kill a primary, watch it heal"
	@echo "make test    lint, type check, and all tests, compiled and interpreted"
	@echo "make soak    ten minutes of mixed load on a compiled node, and how it is afterwards"
	@echo "make bench   a compiled node against redis-server"
	@echo "make image   the container image trivet:latest, for docker-compose.yml"
	@echo "make docs    docs/commands.md from the command table"
	@echo "make lint    ruff, mypy --strict and the layer contracts alone"

demo: $(VENV)/installed
	$(VENV)/bin/trivet demo

test: $(VENV)/test-installed
	$(VENV)/bin/python tests/run.py

lint: $(VENV)/test-installed
	$(VENV)/bin/python tests/run.py --only lint

soak: $(VENV)/test-installed
	$(VENV)/bin/python tests/run.py --only soak

bench: $(VENV)/test-installed
	$(VENV)/bin/python tests/run.py --only bench

image: build/wheels/complete
	deploy/image/build.sh build/wheels

format: $(VENV)/test-installed
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

docs: $(VENV)/installed
	$(VENV)/bin/python docs/commands_page.py

clean:
	rm -rf build $(VENV) .venv-*

$(VENV)/bin/pip:
	$(PYTHON) -m venv $(VENV)

# One wheel, compiled once, serves the virtual environment and the image. Leftovers of earlier builds would get into it.
build/wheels/trivet: $(SOURCES) | $(VENV)/bin/pip
	rm -rf build/lib* build/bdist* build/wheels/trivet*
	$(VENV)/bin/pip wheel --quiet --no-deps --wheel-dir build/wheels .
	touch $@

$(VENV)/installed: build/wheels/trivet
	$(VENV)/bin/pip install --quiet --force-reinstall --no-deps build/wheels/trivet-*.whl
	$(VENV)/bin/pip install --quiet --find-links build/wheels trivet
	$(VENV)/bin/trivet --version
	touch $@

$(VENV)/test-installed: $(VENV)/installed
	$(VENV)/bin/pip install --quiet --find-links build/wheels 'trivet[test]'
	touch $@

# The dependencies' wheels, and pip's own to install them with where there is no pip.
build/wheels/complete: build/wheels/trivet
	$(VENV)/bin/pip wheel --quiet --wheel-dir build/wheels build/wheels/trivet-*.whl pip
	touch $@
