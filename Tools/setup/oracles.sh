#!/usr/bin/env bash
# Writes the fixtures of the tests anew with PYTHON (default: .venv/bin/python), and says which of them have changed.
#
# usage: oracles.sh [PYTHON]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
python=${1:-.venv/bin/python}

for script in Tests/Oracles/*.py; do
    name=$(basename "$script" .py)
    case $name in
        # Parts of tensor_primitives, and a reader of token files.
        tensor_control | tensor_elementwise | tensor_fixture | tensor_indexing | tensor_products | tensor_reductions | \
            tensor_structure | tokenfile_decode) continue ;;
    esac
    echo "oracles: $name"
    # Those that do not know where their fixture goes are told; the others take no argument.
    arguments=()
    [[ $name != audio_spectral ]] || arguments=("Tests/Fixtures/$name.safetensors")
    "$python" "$script" "${arguments[@]}"
done
git status --short Tests/Fixtures
