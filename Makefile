# Two commands do everything on a machine with Python 3.11 (or newer) and make:
#   make tables   simulate a corpus, extract features, train, write Tables II-VI,
#                 figures, a report and bundles for prediction
#   make test     lint, types, architecture, all tests
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
# The demonstration is sized for less than 20 minutes on two cores: a smaller
# corpus and less patience than the script's defaults, which are the paper's.
# Other flags: make tables FLAGS="--corpus=/films --seeds=0,1,2"
FLAGS ?= --segments_per_movie=30 --patience=5

.PHONY: tables test coverage lint docs clean

tables: $(VENV)/.installed
	$(BIN)/python experiments/tables.py $(FLAGS)

test: lint
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(PYTESTFLAGS)

# The same, and which lines the tests run, which makes them slower.
coverage:
	$(MAKE) test PYTESTFLAGS="--cov --cov-report=term"

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The documentation, to be opened at site/index.html.
docs: $(VENV)/.installed-dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

clean:
	rm -rf $(VENV) build site *.egg-info

define install
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable "$(1)"
	touch $@
endef

$(VENV)/.installed: setup.cfg setup.py
	$(call install,.[experiments])

$(VENV)/.installed-dev: setup.cfg setup.py
	$(call install,.[dev])
