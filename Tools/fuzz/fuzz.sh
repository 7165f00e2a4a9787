#!/bin/sh
# Feeds damaged files to the readers of safetensors, token files and datasets, for SECONDS each (300 unless told otherwise).
# An input that ends the reader stays in the temporary folder, at the path that the failed test names.
#
#     Tools/fuzz/fuzz.sh [SECONDS]
set -eu
cd "$(dirname "$0")/../.."
ALLOPHONE_FUZZ_SECONDS="${1:-300}" swift test --no-parallel --filter 'FuzzTests'
