# `make run` and `make test` are where to begin; `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
# The targets build in one folder and train on all cores.
.NOTPARALLEL:

ALLOPHONE := .build/release/allophone
PYTHON := .venv/bin/python
SWIFT_SOURCES := Package.swift Benchmarks/Package.swift Examples/Package.swift Sources Tests Benchmarks/Sources \
    Examples/Sources
# What the build links, and what fetches XLA and Arrow.
PACKAGES := libsndfile1-dev libsoxr-dev libebur128-dev libpng-dev zlib1g-dev libarchive-dev libcurl4-openssl-dev \
    libssl-dev python3 python3-pip
# The standard library is linked into the program, so that one file is all there is to copy.
RELEASE := -c release --static-swift-stdlib
SECONDS ?= 60

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ---- Set-up and builds

.PHONY: setup setup-test swift
swift:
	@command -v swift >/dev/null || { echo "Swift 6.3 is missing: https://www.swift.org/install/linux" >&2; exit 1; }

setup: swift ## Install what the build needs: system libraries, and XLA's CPU plugin and header in .xla
	@Tools/setup/apt.sh $(PACKAGES)
	@Tools/setup/fetch_xla.sh

# The version-skew tests run on a plugin of a newer XLA too.
setup-test: swift
	@Tools/setup/apt.sh $(PACKAGES) espeak-ng
	@Tools/setup/fetch_xla.sh --skew
	@$(MAKE) --no-print-directory arrow

.PHONY: arrow
arrow: ## What reads Parquet files, in .arrow: Arrow's C++ libraries, and ours that is loaded at run time
	@Tools/setup/apt.sh g++ python3 python3-pip
	@Tools/setup/arrow.sh

.PHONY: build
build: setup ## Build the allophone program, optimised
	swift build $(RELEASE) --product allophone

.PHONY: release
release: build ## The program to give to others: one stripped file, dist/allophone
	@mkdir -p dist
	strip -o dist/allophone $(ALLOPHONE)
	@! ldd dist/allophone | grep -i swift || { echo "dist/allophone needs Swift's libraries, see above" >&2; exit 1; }
	@stat -c %s dist/allophone | awk '{ printf "dist/allophone: %.1f MB\n", $$1 / 1e6; exit $$1 > 25e6 }' \
		|| { echo "dist/allophone is over 25 MB: does anything use full Foundation? See docs/dependencies.md" >&2; exit 1; }

.PHONY: capi check-capi
capi: setup ## The library for C and whatever calls C, in dist/c: header, static and shared
	@Tools/setup/apt.sh g++ python3
	Tools/capi/build.sh

# What checks and benchmarks put speech through, where no other MODEL is given.
MODEL ?= weights/alpha-tiny-pitch.safetensors
check-capi: build capi ## Compare the libraries in dist/c with the program, on MODEL
	Tools/capi/check.sh $(MODEL)

# ---- Tests

.PHONY: test
test: setup-test lint ## Check the format, build, and run every test
	@# Kernels that are not optimised would cost the tests minutes; a module compiled whole reads what it imports once, which saves a
	@# seventh of the build.
	swift build --build-tests -Xcc -O2 -Xswiftc -whole-module-optimization -Xswiftc -num-threads -Xswiftc 2
	@# The tests build the examples' sources; that their own package finds them and the library is seen by planning its build.
	swift build --package-path Examples --print-manifest-job-graph > /dev/null
	swift test --skip-build

.PHONY: examples
examples: setup ## Build the package of example programs in Swift
	swift build --package-path Examples -c release

.PHONY: lint
lint: swift ## Check the format of every Swift file, and that no source needs ICU
	swift format lint --strict --parallel --configuration .swift-format --recursive $(SWIFT_SOURCES)
	@! grep -rnE '^([a-z]+ )?import Foundation$$' Sources --include=*.swift \
		|| { echo "These bring 40 MB of ICU into the program; see docs/dependencies.md" >&2; exit 1; }

.PHONY: format
format: swift ## Format every Swift file
	swift format --in-place --parallel --configuration .swift-format --recursive $(SWIFT_SOURCES)

# The kernels' check is plain C, so that it also runs where Swift does not. GCC fuses products with sums over whole functions
# where clang, which builds the library, does not.
KERNELS := $(wildcard Sources/CKernels/*.c)
NEON_PACKAGES := gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user

.PHONY: check-kernels check-neon
check-kernels: swift ## Compare the SIMD kernels of this CPU with the portable ones and with definitions
	@mkdir -p .build/kernels
	clang -O2 -ISources/CKernels/include Tools/kernels/*.c $(KERNELS) -lm -o .build/kernels/check
	.build/kernels/check

check-neon: ## The same for ARM's, cross-compiled and emulated
	@Tools/setup/apt.sh $(NEON_PACKAGES)
	@mkdir -p .build/kernels
	aarch64-linux-gnu-gcc -O2 -ffp-contract=off -static -ISources/CKernels/include Tools/kernels/*.c $(KERNELS) -lm \
		-o .build/kernels/check-neon
	qemu-aarch64 .build/kernels/check-neon

.PHONY: check-long
check-long: build ## An hour of speech through MODEL: memory, length and tokens
	Tools/checks/long_audio.sh $(MODEL)

.PHONY: fuzz
fuzz: setup ## Feed damaged files to the readers for SECONDS (60) each
	Tools/fuzz/fuzz.sh $(SECONDS)

.PHONY: check-hub
check-hub: build peers ## Share the Hub's cache with Python's huggingface_hub, over HTTP and HTTPS, on a server of this machine
	$(PYTHON) Tools/checks/hub.py --program $(ALLOPHONE)

# ---- Speech through a model

.PHONY: run
run: build corpus-small ## Train a small model for a few minutes, and put speech it has not heard through it
	@Tools/demo/run.sh

.PHONY: corpus corpus-small
corpus: ## Two hours of real speech from Debian packages, in .corpus/core
	MODE=core Tools/corpus/build.sh .corpus/core

corpus-small:
	MODE=small Tools/corpus/build.sh .corpus/small

.PHONY: corpus-synthetic
corpus-synthetic: ## Four hours of synthetic speech in nine languages with the time of every phoneme, in .corpus/synthetic
	LANGUAGES="en es it ru de cs pl pt bg" MINUTES=26 Tools/corpus/synthetic.sh .corpus/synthetic

.PHONY: corpus-voices
corpus-voices: ## The full corpus, eight hours, in .corpus/full, and its training clips in voices that nobody has, in .corpus/voices
	MODE=full Tools/corpus/build.sh .corpus/full
	Tools/corpus/voices.sh .corpus/full .corpus/voices

.PHONY: corpus-kokoro
corpus-kokoro: ## 80 minutes of natural synthetic speech in hundreds of voices and four languages, in .corpus/kokoro
	Tools/corpus/kokoro.sh .corpus/kokoro

.PHONY: train-small
train-small: build corpus ## Train recipes/small.json for 30 minutes and measure it on held-out speech
	@Tools/demo/train_small.sh

.PHONY: check-gan
# STEPS and SEEDS make it shorter; stopped, it goes on from its checkpoints.
STEPS ?= 3000
SEEDS ?= 0 1 2
check-gan: build corpus-small ## Train recipes/alpha-tiny.json on three seeds and check that the game is stable (hours; resumes)
	Tools/checks/gan.sh --steps $(STEPS) --seeds $(SEEDS)

.PHONY: check-alignment
check-alignment: build corpus corpus-synthetic ## Forced alignment by MODEL against labels by hand and those of synthetic voices it has not heard
	@Tools/setup/apt.sh python3 espeak-ng
	Tools/checks/alignment.py --program $(ALLOPHONE) --model $(MODEL) \
		--data .corpus/core::festvox-ru .corpus/synthetic:dev

# ---- Benchmarks: each ends with one line of JSON; a ratio in it is above 1 where Allophone is faster

.PHONY: peers
peers: ## Python packages that the benchmarks compare with and the oracles use, in .venv
	@Tools/setup/apt.sh python3 python3-venv espeak-ng
	Tools/setup/python.sh

.PHONY: bench bench-codec bench-train bench-gan bench-native bench-stream bench-streams bench-precision bench-kernels \
	bench-live bench-encode bench-search bench-sources bench-data bench-quality bench-directions bench-ablations
bench: setup
	swift build --package-path Benchmarks -c release --product bench

bench-codec: peers bench ## Encoder and decoder of 2 s of audio, against PyTorch and JAX
	Benchmarks/.build/release/bench codec --python $(PYTHON)

bench-train: peers bench ## A training step on 1 s of audio, against PyTorch and JAX
	Benchmarks/.build/release/bench train --python $(PYTHON)

bench-gan: peers bench ## Generator and discriminators, forward, backward and AdamW of both, against PyTorch
	Benchmarks/.build/release/bench gan --python $(PYTHON)

bench-native: peers bench ## The native runtime on 2 s of audio, against PyTorch and our XLA path
	Benchmarks/.build/release/bench native --peers torch --python $(PYTHON)

bench-stream: peers bench ## One stream on one thread, a 20 ms frame at a time, against PyTorch, EnCodec and Mimi
	Benchmarks/.build/release/bench stream --peers torch encodec mimi --python $(PYTHON)

bench-precision: bench corpus ## What bf16 and int8 cost on held-out speech, and how far native is from XLA; MODEL is a trained model
	Benchmarks/.build/release/bench precision --model $(MODEL) --data .corpus/core

bench-search: bench ## How many times real time encoding by search is, beside the plain encoder, on MODEL
	Benchmarks/.build/release/bench search --model $(MODEL)

bench-live: build bench ## Memory of `allophone encode - -` and `decode - -` while the reference codec's stream goes through them
	@mkdir -p out
	Benchmarks/.build/release/bench model reference out/reference.safetensors
	@Benchmarks/live.py --program $(ALLOPHONE) --model out/reference.safetensors

bench-streams: bench ## Streams that a core serves at real time, for 1 to 64: into docs/benchmarks.md and docs/streams.svg
	Benchmarks/.build/release/bench streams --docs docs

.PHONY: soak
HOURS ?= 24
soak: bench ## HOURS (24) of sound through one stream, twice: memory must not grow, and tokens be the same
	Benchmarks/.build/release/bench soak --hours $(HOURS)

bench-kernels: swift ## The kernels on the reference codec's layers, against this CPU's peak
	@mkdir -p .build/kernels
	clang -O3 -ISources/CKernels/include Benchmarks/kernels/*.c $(KERNELS) -lm -lpthread -o .build/kernels/bench
	.build/kernels/bench

bench-encode: build ## `allophone encode` of a 10 s clip, from start to end
	@Benchmarks/encode.sh

bench-data: setup peers corpus ## The core corpus to 24 kHz left-padded batches, against Python's datasets, soundfile and soxr
	swift build --package-path Benchmarks -c release --product bench-data
	Benchmarks/.build/release/bench-data --python $(PYTHON) --corpus .corpus/core

# DATA is a folder with a manifest.jsonl; RECOGNIZER, a model with phonemes, reads those of what each codec says.
DATA ?= .corpus/core
SPLIT ?= dev
CLIPS ?= 64
RECOGNIZER ?=
# Paths of searches that take their turn as encoders.
SEARCH ?= 4
bench-quality: build peers corpus ## Speech through MODEL, Opus and Codec2: PESQ, STOI, SI-SDR, DNSMOS, mel distance, phonemes
	@Tools/setup/apt.sh opus-tools codec2
	@OMP_NUM_THREADS=1 $(PYTHON) Benchmarks/peers/quality.py --model $(MODEL) --data $(DATA) --split $(SPLIT) \
		--clips $(CLIPS) --search $(SEARCH) $(if $(RECOGNIZER),--recognizer $(RECOGNIZER)) --table out/quality.md

bench-directions: build peers corpus ## What losses are worth to PESQ and STOI: MODEL's sound moved against their gradients
	@$(PYTHON) Benchmarks/peers/loss_directions.py --model $(MODEL) --data $(DATA)

# Runs at once, each on its share of the cores; two, where there are as many.
JOBS ?=
bench-ablations: build peers corpus ## recipes/alpha-tiny.json and its ablations, each trained for STEPS on SEEDS, JOBS at once, and measured (hours; resumes)
	@OMP_NUM_THREADS=1 $(PYTHON) Benchmarks/peers/ablations.py --steps $(STEPS) --seeds $(SEEDS) $(if $(JOBS),--jobs $(JOBS)) --data $(DATA) \
		--table out/ablations.md

bench-sources: setup arrow peers ## Parquet and WebDataset, against pyarrow and webdataset, and a manifest of a million lines
	swift build --package-path Benchmarks -c release --product bench-sources
	Benchmarks/.build/release/bench-sources --python $(PYTHON)

# All but what only reads, and what calls the others together.
ORACLES = $(filter-out %/tokenfile_decode.py %/tensor_primitives.py %/published.py,$(wildcard Tests/Oracles/*.py))
.PHONY: oracles
oracles: peers ## Write the fixtures of the tests anew, by JAX, PyTorch, librosa and others
	@for script in $(ORACLES); do echo "$$script"; $(PYTHON) "$$script"; done
	@git status --short Tests/Fixtures

.PHONY: clean
clean: ## Remove what was built; downloads, corpora and runs stay
	rm -rf .build Benchmarks/.build Examples/.build dist
