# Two commands do everything on a machine with Python 3.11 (or newer) and make:
#   make tables   simulate a corpus, extract features, train, print Table II
#   make test     lint, types, architecture, tests with coverage
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
# Extra flags for the tables, e.g. make tables FLAGS="--corpus=/films"
FLAGS ?=

.PHONY: tables test lint clean

tables: $(VENV)/.installed
	$(BIN)/python experiments/table2.py $(FLAGS)

test: lint
	$(BIN)/python -m pytest --cov --cov-report=term

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --config setup.cfg

clean:
	rm -rf $(VENV) build *.egg-info

# opencv-python needs libGL, which a bare server lacks; opencv-python-headless
# is the same module without windows. Look which one works here.
define install
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable "$(1)"
	$(BIN)/python -c "import cv2" 2>/dev/null || { \
	  echo "opencv-python does not load here; taking opencv-python-headless"; \
	  $(BIN)/python -m pip uninstall --quiet --yes opencv-python \
	    opencv-python-headless && \
	  $(BIN)/python -m pip install --quiet opencv-python-headless && \
	  $(BIN)/python -c "import cv2"; }
	touch $@
endef

$(VENV)/.installed: setup.cfg setup.py
	$(call install,.)

$(VENV)/.installed-dev: setup.cfg setup.py
	$(call install,.[dev])
