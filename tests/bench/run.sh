#!/bin/sh
# Runs every benchmark, or the one named by CASE: each prints JSON lines. usage: run.sh [NAME]
set -eu
only=${1:-}
build=${BUILD:-build}
for source in $(find tests/bench -name 'bench_*.c' | sort); do
  name=$(basename "$source" .c)
  case $name in *"$only"*) "$build/tests/bench/$name" ;; esac
done
case link_peers in *"$only"*) tests/bench/peers/run.sh ;; esac
