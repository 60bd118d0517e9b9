#!/bin/sh
# Free tools for the same work beside `puente link`, in one go: the same files, columns, comparisons and blocking rules.
# They are installed into a virtual environment below the build folder; where that cannot be done, one line says so.
# The simulated persons are 200,000 records; PEERS_LARGE=1 makes them a million.   usage: run.sh [CASE]
set -eu
export PYTHONDONTWRITEBYTECODE=1
build=${BUILD:-build}
here=tests/bench/peers
skip() {
  echo "{\"case\":\"link_peers\",\"skipped\":\"$1\"}"
  exit 0
}
command -v python3 >/dev/null 2>&1 || skip "python3 is not installed"
python=$build/peers/venv/bin/python
if ! cmp -s "$here/requirements.txt" "$build/peers/installed.txt"; then
  mkdir -p "$build/peers"
  { python3 -m venv --clear "$build/peers/venv" &&
    timeout 600 "$python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"; } \
    >"$build/peers/install.log" 2>&1 || skip "the peers cannot be installed: see $build/peers/install.log"
  cp "$here/requirements.txt" "$build/peers/installed.txt"
fi
population=94800
[ -z "${PEERS_LARGE:-}" ] || population=474000
persons=$build/peers/persons.csv
"$build/puente-simulator" --persons-csv "$persons" --population "$population" --seed 2026
exec "$python" "$here/compare.py" "$build" "$persons" "${1:-}"
