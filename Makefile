# What people and CI run. `make help` lists the commands.

SHELL := /bin/sh
BIN := .venv/bin
# Debian keeps haproxy where only root's PATH looks.
export PATH := $(PATH):/usr/sbin:/sbin
# The tests start the command line hundreds of times; without its compiled modules each start costs double.
unexport PYTHONDONTWRITEBYTECODE

# Four more than there are processors: many tests wait for other processes. Who has none left takes some of another's.
WORKERS := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 4)

.DEFAULT_GOAL := help
.PHONY: help setup setup-tests check format test test-kill test-k8s simulate bench bench-plans bench-policies bench-rollouts bench-gates bench-forge demo lock

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## prepare this clone: system packages, .venv with locked packages, .venv/bin/shipline
	@scripts/setup.sh

setup-tests:
	@scripts/setup.sh tests

check: setup ## format, lint, types, import contracts, tidy rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest tests/tidy -q

format: setup ## put the code into its format, and fix what lint can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: setup-tests ## all tests but those that make check, make test-kill and make test-k8s run
	@$(BIN)/python -m compileall -q -j 0 src # once, and not by each of the workers
	@scripts/in-memory.sh $(BIN)/pytest -n $(WORKERS) --dist worksteal --ignore=tests/tidy -m 'not kill and not cluster'

test-kill: setup-tests ## end the process at every step of a release and a rollout, for real
	$(BIN)/pytest -m kill -s

test-k8s: setup-tests ## whole rollouts against a real Kubernetes API server; the first time builds it, in some minutes
	@scripts/kube-apiserver.sh
	$(BIN)/pytest -m cluster

SEEDS := 1-2000
simulate: setup-tests ## rollouts in seeded worlds full of faults, in virtual time; SEEDS=1-5000, or SEEDS=7 to see one
	$(BIN)/python -m tests.simulation $(SEEDS)

bench: setup-tests ## measure what the documentation claims
	$(BIN)/python -m bench

bench-plans: setup-tests ## planning beside other tools and git itself; CASES="next-100k" for one, QUICK=--quick for one turn
	$(BIN)/python -m bench.plans $(QUICK) $(CASES)

bench-policies: setup-tests ## Kyverno's policies beside their own tests; LIBRARY=path to a copy of kyverno/policies for all of them
	$(BIN)/python -m bench.policies $(LIBRARY)

bench-rollouts: setup-tests ## the canary analysis beside those of others, and what it promises; QUICK=--quick for a minute
	$(BIN)/python bench/analysis.py $(QUICK)

bench-gates: setup-tests ## reports, gates, bundles, the log, admission: time, memory, rates; CASES="read-24mb" for one
	$(BIN)/python bench/gates.py $(CASES)

bench-forge: setup-tests ## webhooks: nothing lost or doubled under kills and outages, how many are acknowledged how soon, tags under rapid merges, two forges kept alike, and what is quiet in a large repository; CASES="rate" for one
	$(BIN)/python -m bench.forge $(QUICK) $(CASES)

demo: setup ## ship a good and a bad version of examples/quotes; KEEP=1 leaves the page open
	$(BIN)/python examples/demo.py

lock: setup ## write requirements.lock anew from pyproject.toml
	$(BIN)/uv pip compile -q pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header -o requirements.lock
	$(BIN)/pytest tests/tidy -q -k lock
