# make        the whole gate: format, lint, types, tests, and out/ is fresh
# make help   every target

PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.setup
SOURCES := compiler tests conftest.py
FUZZ_SECONDS ?= 300

.DEFAULT_GOAL := check
.PHONY: check help setup demo format lint types test test-programs test-cluster test-engines \
	test-hostile test-images test-torch fresh out golden bench bench-cache bench-gitops bench-initializers bench-controller fuzz wheel peers \
	test-initializers-full soak deploy images prove-cache conformance requirements clean

check: format lint types test fresh  ## the whole gate (default)

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*  ## ' $(MAKEFILE_LIST) | sed -E 's/:.*  ## /\t/' | expand -t 16

setup: $(SETUP)  ## make .venv, with everything pinned by hash

$(SETUP): deploy/dev.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "trainc needs Python 3.11 or newer" >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: -r deploy/dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# Only what a build needs, unless everything is there already.
DEMO := $(VENV)/.demo

$(DEMO): deploy/trainc.txt deploy/wheel.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "trainc needs Python 3.11 or newer" >&2; exit 2; }
	@echo "installing what a build needs into $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		--only-binary :all: -r deploy/trainc.txt -r deploy/wheel.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
		--no-build-isolation --editable .
	@touch $@

demo:  ## compile this project; installs only what that needs
	@test -e $(SETUP) || $(MAKE) --no-print-directory $(DEMO)
	@echo '$$ trainc build > manifests.yaml'
	@$(BIN)/trainc build > manifests.yaml
	@echo '$$ head manifests.yaml'
	@head manifests.yaml
	@echo '...'
	@echo '$$ trainc check'
	@$(BIN)/trainc check
	@echo "made: manifests.yaml, $$(grep -c '^kind: JobSet' manifests.yaml) JobSets and what they" \
		"need, from examples/ and templates/; next: $(BIN)/trainc explain" \
		"examples/torch/job.yaml, $(BIN)/trainc init ../trainings, or docs/getting-started.md"

format: $(SETUP)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/trainc fmt --check

lint: $(SETUP)
	$(BIN)/ruff check $(SOURCES)

types: $(SETUP)
	$(BIN)/mypy

# On all cores; a module's tests stay together, for they share its fixtures.
PYTEST := $(BIN)/pytest --numprocesses auto --maxprocesses 8 --dist loadscope

test: $(SETUP)  ## run the tests that need no more than Python
	$(PYTEST)

test-programs: $(SETUP)  ## run the tests with programs of others (Helm, kustomize, S3 servers ...)
	@$(BIN)/python -m tests.tools peers servers
	TRAINC_TEST_PROGRAMS=1 $(PYTEST) -m programs

test-hostile: $(SETUP)  ## build what strangers may write: hundreds of attacks, each bounded
	TRAINC_TEST_HOSTILE=1 $(PYTEST) -m hostile tests/hostile

test-images: $(SETUP)  ## build the images with docker or buildah, and start each on a read-only root
	TRAINC_TEST_IMAGES=1 $(BIN)/pytest --durations=5 -m images tests/images

test-torch: $(SETUP)  ## run the data cache's tests with PyTorch (3 GB, kept outside the tree)
	@$(BIN)/python -m tests.tools torch
	TRAINC_TEST_TORCH=1 $(BIN)/pytest -m torch tests/cache

SOAK_SECONDS ?= 1200

soak: $(SETUP)  ## random job life for SOAK_SECONDS (1200), then every status must be right
	@$(BIN)/python -m tests.cluster.binaries
	$(BIN)/python -m tests.cluster.soak --seconds $(SOAK_SECONDS)

test-cluster: $(SETUP)  ## run the tests that need a control plane; builds what is missing
	$(BIN)/python -m tests.cluster.binaries
	$(BIN)/python -m tests.cluster.kubectl
	$(BIN)/python -m tests.cluster.lws
	$(BIN)/python -m tests.cluster.volcano
	TRAINC_TEST_CLUSTER=1 $(BIN)/pytest --durations=15 tests/cluster

test-engines: $(SETUP)  ## run the tests with the real Kueue, Flux and Argo CD; builds what is missing
	$(BIN)/python -m tests.cluster.binaries
	$(BIN)/python -m tests.cluster.lws
	$(BIN)/python -m tests.cluster.volcano
	$(BIN)/python -m tests.engines.binaries
	TRAINC_TEST_ENGINES=1 $(BIN)/pytest --durations=15 tests/engines

fresh: $(SETUP)  ## fail when out/ is not what this project compiles to
	$(BIN)/trainc check

out: $(SETUP)  ## compile this project into out/
	$(BIN)/trainc build --out-dir out

golden: out  ## rewrite every expected output: out/ and the generated pages
	$(BIN)/python -m trainc.spec.fidelity > docs/fidelity.md
	$(BIN)/python -m trainc.cli.pages docs/commands
	$(BIN)/python -m trainc.install.rulebook > docs/admission.md

bench: $(SETUP)  ## measure against the bars, rewrite docs/performance.md
	$(BIN)/python -m tests.bench

bench-gitops: $(SETUP)  ## measure unchanged inputs, rewrite docs/performance-gitops.md
	$(BIN)/python -m tests.bench.gitops_bench

bench-controller: $(SETUP)  ## measure the controller, rewrite docs/performance-controller.md
	@$(BIN)/python -m tests.cluster.binaries
	$(BIN)/python -m tests.bench.controller_bench

deploy: $(SETUP)  ## write deploy/ anew: kinds, policies, rights, the Deployment
	$(BIN)/python -m trainc.install.files deploy

bench-cache: $(SETUP)  ## measure the data cache, rewrite docs/performance-cache.md
	$(BIN)/python -m tests.bench.cache_bench

bench-initializers: $(SETUP)  ## measure the initializers, rewrite docs/performance-initializers.md
	@$(BIN)/python -m tests.tools servers clients
	$(BIN)/python -m tests.bench.initializers_bench $(PART)

test-initializers-full: $(SETUP)  ## the initializers' long proofs too: 50 kills, 10,000 objects, 2 GB
	@$(BIN)/python -m tests.tools servers
	TRAINC_TEST_FULL=1 TRAINC_TEST_PROGRAMS=1 \
		$(BIN)/pytest compiler/trainc/initializers tests/initializers

prove-cache: $(SETUP)  ## the data cache's long proofs: every fault, many more cut streams
	TRAINC_CACHE_LONG=1 TRAINC_CACHE_EXAMPLES=200 $(BIN)/pytest compiler/trainc/cache tests/cache

peers: $(SETUP)  ## build helm, kustomize, kubeconform and CUE for bench and tests; needs Go
	@$(BIN)/python -m tests.tools peers

fuzz: $(SETUP)  ## fuzz the loader for FUZZ_SECONDS (300)
	$(BIN)/python -m pip install --quiet --require-hashes -r deploy/fuzz.txt
	$(BIN)/python tests/fuzz/loader_fuzz.py -max_total_time=$(FUZZ_SECONDS) tests/fuzz/corpus

wheel: $(SETUP)  ## build the wheel into dist/
	rm -rf dist
	$(BIN)/python -m hatchling build -t wheel -d dist

IMAGES := cli controller dataset-initializer model-initializer data-cache
IMAGE_PREFIX ?= $(shell sed -n 's/^IMAGE_PREFIX: Final = "\(.*\)"/\1/p' compiler/trainc/names.py)
VERSION := $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' compiler/trainc/version.py)

images:  ## build the images with ENGINE (docker), named by IMAGE_PREFIX
	@set -e; for image in $(IMAGES); do \
		case $$image in \
		*-initializer) which="initializers.Containerfile --target $$image" ;; \
		*) which="$$image.Containerfile" ;; \
		esac; \
		$(or $(ENGINE),docker) build --tag $(IMAGE_PREFIX)/$$image:v$(VERSION) \
			--file deploy/images/$$which .; \
	done

conformance: $(SETUP)  ## compare with the reference's own output
	@$(BIN)/python -m tests.conformance --trainc $(BIN)/trainc

PIN := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --upgrade \
	--python-version 3.11
EXTRAS := --extra controller --extra initializers --extra cache --extra report --extra dev

requirements: $(SETUP)  ## pin deploy/*.txt again, to the newest releases
	$(PIN) pyproject.toml --output-file deploy/trainc.txt
	$(PIN) pyproject.toml $(EXTRAS) --output-file deploy/dev.txt
	$(PIN) --group fuzz --output-file deploy/fuzz.txt
	$(PIN) deploy/cache.in --output-file deploy/cache.txt
	$(PIN) deploy/ci.in --output-file deploy/ci.txt
	$(PIN) deploy/controller.in --output-file deploy/controller.txt
	$(PIN) deploy/initializers.in --output-file deploy/initializers.txt
	$(PIN) deploy/pre-commit.in --output-file deploy/pre-commit.txt
	$(PIN) deploy/wheel.in --output-file deploy/wheel.txt

clean:  ## remove what was built; keeps .venv
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
