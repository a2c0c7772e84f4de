# make demo   create the environment, discover keypoints and find people on embedded data
# make test   create the environment, then lint, check types and test
# make test-slow   the tests that take minutes each, left out of make test
# make env    create or update the environment only
# make format rewrite the code in the project's format
# make matrix try other Pythons, torches, NumPys and MMCVs and write docs/matrix.md
# make clean  remove what building and testing left behind
#
# VENV    folder of the environment; an existing one, and the torch in it, is kept
# PYTHON  interpreter that creates it; by default the first of 3.11, 3.12, 3.13, 3.10 found
# NUMPY   version of NumPy instead of the tried one
# JOBS    processes that test, by default one a core; 0 for none beside pytest
# ROWS    words that the names of the matrix' rows hold; --whole runs every test
# ARGS    further arguments of the demo or of pytest

VENV ?= .venv
JOBS ?= auto
RUN = sh tools/misc/timed.sh
BIN = $(VENV)/bin
# A file of tests stays in one process, which keeps what its tests share.
PYTEST = python -m pytest -n $(JOBS) --maxprocesses 8 --dist loadfile

# What loads ONNX Runtime, OpenVINO and TorchScript is tested in processes of its own:
# beside numba's machine code they have crashed long test runs.
RUNTIMES = tests/test_deployment tests/test_apis/test_export.py \
	tests/test_apis/test_exported_model.py tests/test_apis/test_fitted_copy.py \
	tests/test_apis/test_predictor_trial.py tests/test_cli/test_export_verb.py \
	tests/test_tools/test_export_table.py tests/test_tools/test_documented_commands.py

SUITABLE = import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))
ifndef PYTHON
PYTHON := $(shell for name in python3.11 python3.12 python3.13 python3.10 python3; do \
	$$name -c '$(SUITABLE)' 2>/dev/null && { echo $$name; break; }; done)
endif

.PHONY: demo test test-slow env format matrix clean

demo: env
	@$(RUN) 'Running the demo' $(BIN)/python tools/demo.py --out demo_output $(ARGS)

test: env
	@$(RUN) 'Linting' $(BIN)/ruff check .
	@$(RUN) 'Checking the format' $(BIN)/ruff format --check --quiet .
	@$(RUN) 'Checking types' $(BIN)/mypy
	@$(RUN) 'Testing' $(BIN)/$(PYTEST) -m 'not slow' $(addprefix --ignore=,$(RUNTIMES)) $(ARGS)
	@$(RUN) 'Testing exports' $(BIN)/$(PYTEST) -m 'not slow' $(RUNTIMES) $(ARGS)

test-slow: env
	@$(RUN) 'Testing what takes minutes' $(BIN)/$(PYTEST) -m slow $(ARGS)

env:
ifeq ($(strip $(PYTHON)),)
	$(error no Python 3.10, 3.11, 3.12 or 3.13 with venv and pip was found: install one, \
	or name it with make PYTHON=path/to/python)
endif
	@$(PYTHON) tools/misc/make_environment.py $(VENV) $(if $(NUMPY),--numpy $(NUMPY))

format: env
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format .

matrix:
	@$(PYTHON) tools/misc/matrix.py $(ROWS)

clean:
	rm -rf build dist *.egg-info demo_output .mypy_cache .ruff_cache .pytest_cache
	find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +
