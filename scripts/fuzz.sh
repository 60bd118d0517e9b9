#!/usr/bin/env bash
# Runs the fuzzers of $BUILD from the top of the tree and closes each with a line of counts.
# usage: fuzz.sh short                     the whole corpus, then a fixed number of runs from a fixed seed; as many
#                                          fuzzers at a time as there are processors
#        fuzz.sh long [FUZZER] [SECONDS]   one after the other, with what it learned kept in $BUILD/corpus; a find is
#                                          written to $BUILD/finds
# A find is mended, made small (-minimize_crash=1), and kept in tests/fuzz/corpus.
set -u
mode=$1
only=${2:-}
seconds=${3:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
mkdir -p "$BUILD/finds"
export mode seconds work

run_one() {
  program=$1
  name=${program##*/fuzz_}
  corpus=tests/fuzz/corpus/$name
  learned=$BUILD/corpus/$name
  log=$work/$name.log
  mkdir -p "$learned" "$work/$name"
  set -- -artifact_prefix="$BUILD/finds/$name-" -print_final_stats=1 -timeout=20 -rss_limit_mb=2048
  [ ! -f "tests/fuzz/dictionary/$name" ] || set -- "$@" -dict="tests/fuzz/dictionary/$name"
  if [ "$mode" = short ]; then
    # so many runs that each fuzzer takes a few seconds; the time is a bound for slow machines only
    case $name in
      codelist) runs=500 ;;
      config | link | mapping) runs=4000 ;;
      pages | transforms) runs=10000 ;;
      *) runs=40000 ;;
    esac
    "$program" "$@" -seed=1 -runs=0 "$corpus" >"$log" 2>&1 &&
      "$program" "$@" -seed=1 -runs="$runs" -max_total_time=20 "$work/$name" "$corpus" >"$log" 2>&1
  else
    "$program" "$@" -max_total_time="${seconds:-600}" "$learned" "$corpus" >"$log" 2>&1
  fi
  failed=$?
  (
    flock 9
    if [ "$failed" -eq 0 ]; then
      echo "fuzz ok: $name runs=$(awk '/number_of_executed_units/ { print $2 }' "$log") corpus=$(find "$corpus" -type f | wc -l)" \
        "cov=$(awk '/cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") c = $(i + 1) } END { print c }' "$log")"
    else
      tail -n 40 "$log"
      echo "fuzz FAILED: $name: see $BUILD/finds"
    fi
  ) 9>"$work/lock"
  return "$failed"
}
export -f run_one

[ "$mode" = short ] && jobs=$(nproc) || jobs=1
for program in "$BUILD"/tests/fuzz/fuzz_*; do
  name=${program##*/fuzz_}
  case $name in *.*) continue ;; esac
  [ -z "$only" ] || [ "$only" = "$name" ] || continue
  printf '%s\0' "$program"
done | xargs -0 -r -n 1 -P "$jobs" bash -c 'run_one "$1"' -
