# What a newcomer and the CI type. The work is in scripts/, so that each step also runs by itself.

.DEFAULT_GOAL := help

# debugfs lives in /usr/sbin, which is on few users' path; Homebrew keeps LLVM off it altogether.
export PATH := $(PATH):/usr/sbin:/sbin
ifeq ($(shell uname -s),Darwin)
export PATH := $(PATH):$(shell brew --prefix llvm 2>/dev/null)/bin:$(shell brew --prefix lld 2>/dev/null)/bin
endif

ARGS ?=

.PHONY: help setup run test check hang-matrix bench soak format clean

help:
	@echo "make run      set up, boot the sample kernel on both architectures, run its tests, write arm64-parity.md"
	@echo "              (ARGS='fork_test --arch aarch64' goes to parity run)"
	@echo "make test     set up, then format, lint, types, kernel build and every test, real QEMU included"
	@echo "              (ARGS='-k configuration' goes to pytest)"
	@echo "make setup    install what is missing and make .venv; does nothing twice"
	@echo "make hang-matrix  every defect of the sample kernel on both architectures, diagnosed: the confusion matrix"
	@echo "              (ARGS='abba --times 5' chooses; ARGS=--help lists more)"
	@echo "make bench    what isolation by snapshot, boot and sharing costs, and a plain loop beside it"
	@echo "make soak     run after run, struck by signals at random moments, until something is left behind"
	@echo "              (ARGS='--minutes 10 --seed 7' goes to it)"
	@echo "make check    format, lint and types only"
	@echo "make format   rewrite the Python sources in the one format"
	@echo "make clean    remove what was built; .venv and recorded results stay"

setup:
	@scripts/setup

run: setup
	@scripts/run $(ARGS)

test: setup
	@scripts/check
	@scripts/test $(ARGS)

hang-matrix: setup
	@.venv/bin/python -m tests.duet.hang_matrix $(ARGS)

bench: setup
	@.venv/bin/python -m tests.bench.isolation $(ARGS)

soak: setup
	@.venv/bin/python -m tests.soak.soak $(ARGS)

check: setup
	@scripts/check

format: setup
	@.venv/bin/ruff check --quiet --fix . || true
	@.venv/bin/ruff format --quiet .

clean:
	@$(MAKE) --no-print-directory -C kernel clean
	@rm -rf dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -path ./.venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
