# Every target does its own set-up: a machine needs Python >= 3.11, make and glibc, nothing else.

BIN := .venv/bin
FEAST := build/feast-venv
FEAST_LOCK := benchmarks/feature_peers/feast-requirements.txt
PYTHON_FOLDERS := $(wildcard src tests proofs benchmarks examples)
# The set-up is done again when the lock changes or the checkout moves.
STAMP := .venv/ready-$(shell { pwd; cat requirements.lock; } | sha256sum | cut -c 1-16)

# Whatever is installed elsewhere must not leak in, and what is imported is compiled once.
unexport PYTHONHOME PYTHONPATH PYTHONDONTWRITEBYTECODE

.PHONY: help demo test lint types imports kernels test-python bench feast proofs learning-proofs mutation lock clean

help: ## show this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 22

demo: .venv/installed ## replay a merchant's year and balance it to the penny
	$(BIN)/formicary demo

# The kernels first: they take as long as all the others.
test: .venv/installed ## everything continuous integration checks
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target kernels lint types imports
	@$(MAKE) --no-print-directory test-python

lint: .venv/installed ## ruff: rules and format
	$(BIN)/ruff check $(PYTHON_FOLDERS)
	$(BIN)/ruff format --check $(PYTHON_FOLDERS)

types: .venv/installed ## mypy --strict
	$(BIN)/mypy --strict $(PYTHON_FOLDERS)

imports: .venv/installed ## import-linter: the direction of the layers
	$(BIN)/lint-imports --no-logo

# Every process of the tests would compile them otherwise, each for a minute.
kernels: .venv/installed ## compile the kernels that are not compiled yet
	$(BIN)/python -m tests.kernels

test-python: .venv/installed ## pytest with branch coverage; skips are listed at the end
	$(BIN)/python -m pytest --cov --numprocesses auto --dist loadfile --no-loadscope-reorder

bench: .venv/installed ## the rates of ledger and API on this machine
	$(BIN)/formicary bench ledger
	$(BIN)/formicary bench http

feast: $(FEAST)/installed ## the environment of Feast, a peer in the benchmark of the features

proofs: .venv/installed ## simulator, real kills, hostile requests, a few saboteurs
	$(BIN)/python -m proofs.simulator
	$(BIN)/python -m proofs.kill
	$(BIN)/python -m proofs.kill --http
	$(BIN)/python -m proofs.api
	$(BIN)/python -m proofs.learning sabotage --seeds 2
	$(BIN)/python -m proofs.learning injected --seeds 1

learning-proofs: .venv/installed ## saboteurs, an attack, selection: what the learner makes of them
	$(BIN)/python -m proofs.learning sabotage
	$(BIN)/python -m proofs.learning injected
	$(BIN)/python -m proofs.learning selection

mutation: .venv/installed ## the mutation score of the kernels
	$(BIN)/python -m proofs.mutation

# Versions are chosen for the oldest Python; every file of a version is listed by its hash alone.
lock: ## choose the newest allowed versions again and write requirements.lock and Feast's
	python3 -m venv --clear build/lock
	build/lock/bin/pip install --quiet uv==0.13.9
	build/lock/bin/uv pip compile pyproject.toml --group dev --upgrade --generate-hashes --quiet --system-certs \
	    --python-version 3.11 --python-platform linux --no-emit-index-url --no-emit-find-links \
	    --custom-compile-command "make lock" --output-file requirements.lock
	echo "feast>=0.67,<1" | build/lock/bin/uv pip compile - --upgrade --generate-hashes --quiet --system-certs \
	    --python-version 3.11 --python-platform linux --no-emit-index-url --no-emit-find-links \
	    --custom-compile-command "make lock" --output-file $(FEAST_LOCK)

clean: ## remove everything that set-up and tests left behind
	rm -rf .venv build dist .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests $(wildcard proofs benchmarks examples) -name __pycache__ -prune -exec rm -rf {} +

$(STAMP):
	@.ci/setup $@

# No network and no isolated build: the build backend is one of the pinned packages.
.venv/installed: pyproject.toml $(STAMP)
	@echo "[3/3] Installing formicary itself"
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-index \
	    --no-build-isolation --editable .
	@touch $@

# Apart from .venv: Feast holds back versions of what formicary depends on, and brings dozens of packages.
$(FEAST)/installed: $(FEAST_LOCK) | .venv/installed
	$(BIN)/python -m venv --clear $(FEAST)
	$(FEAST)/bin/python -m pip install --disable-pip-version-check --quiet --only-binary :all: \
	    --require-hashes --no-deps --requirement $(FEAST_LOCK)
	$(FEAST)/bin/python -m pip check
	@touch $@
