#!/bin/sh
# Builds the wheel, installs it into a fresh environment of one interpreter, and tries it where the checkout is out of
# reach. `make wheel-test` calls it; its settings come from the environment, and all but PYTHON may be empty:
#   PYTHON       the interpreter
#   EXTRAS       extras to install
#   NUMPY        version of NumPy, such as 1.26.*
#   CONSTRAINTS  constraints file
#   TESTS        folders and files of tests to run
#   UV           the program uv, which installs faster than pip and shares files between environments
set -eu
here=$(pwd)
trial=$(mktemp -d)
trap 'rm -rf "$trial"' EXIT
try="$trial/env/bin/python"

"$PYTHON" -m venv "$trial/env"
"$try" -m pip wheel --quiet --no-deps --wheel-dir "$trial/wheel" "$here"
wheel=$(echo "$trial"/wheel/*.whl)

set -- "${wheel}[${EXTRAS:+$EXTRAS,}strategies]" pytest-xdist pytest-timeout pytest-rerunfailures jsonschema
if [ -n "${NUMPY:-}" ]; then set -- "$@" "numpy==$NUMPY"; fi
if [ -n "${CONSTRAINTS:-}" ]; then set -- "$@" --constraint "$here/$CONSTRAINTS"; fi
began=$(date +%s)
# pyvips comes as source alone, of Python and nothing else to compile.
set -- --quiet --only-binary=:all: --no-binary=pyvips "$@"
if [ -n "${UV:-}" ]; then "$UV" pip install --python "$try" "$@"; else "$try" -m pip install "$@"; fi
took=$(($(date +%s) - began))
"$try" -m pip check

cp -r "$here/tests/repository/tiny_guard" "$trial/gate"
cd "$trial/gate"
"$try" -c 'import compress_guard, pathlib; assert "env" in pathlib.Path(compress_guard.__file__).parts, compress_guard'
"$trial/env/bin/compress-guard" doctor default_codecs.yaml
"$try" -m pytest --compress-guard thresholds.yaml
"$try" -m pytest --compress-guard default_codecs.yaml --cg-strict

if [ -n "${TESTS:-}" ]; then
    mkdir "$trial/suite"
    cp -r "$here/tests" "$here/benchmarks" "$here/pyproject.toml" "$trial/suite"
    cd "$trial/suite"
    # shellcheck disable=SC2086 # several words: folders of tests
    "$try" -m pytest -q -n 2 $TESTS
fi

versions="$("$try" -c 'import numpy, platform, torch; print(f"Python {platform.python_version()}, NumPy {numpy.__version__}, torch {torch.__version__}")')"
echo "$versions: installed in $took s, $(du -sm "$trial/env" | cut -f1) MB"
