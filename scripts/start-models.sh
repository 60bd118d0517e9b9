#!/bin/sh
# Learns the models that config/link starts with, from the simulated registries: needed again when comparisons, levels
# or parts of config/link/persons.yaml or cases.yaml change. Usage: scripts/start-models.sh [PERSONS [SEED]]
set -eu

BUILD=${BUILD:-build}
persons=${1:-20000}
seed=${2:-411}
here=$PWD
sed -i '/^start:/d' "config/link/default.yaml"
trap 'cd "$here" && printf "start: {persons: persons.model.json, cases: cases.model.json}\n" >>config/link/default.yaml' EXIT
BUILD=$BUILD PERSONS=$persons SEED=$seed examples/peru/demo.sh >/dev/null
for kind in 0 1; do
  name=$([ "$kind" = 0 ] && echo persons || echo cases)
  sqlite3 "$BUILD/demo/puente.db" "SELECT body FROM link_model WHERE kind = $kind AND active = 1" \
    >"config/link/$name.model.json"
done
