#!/usr/bin/env bash
# Runs test programs from the top of the tree, one more at a time than there are processors, for they often wait for
# servers (JOBS: another number); shows the output of those that fail and closes with one line of counts, and the lines
# "NAME ok: counts" of programs that passed. usage: test.sh PATTERN PROGRAM...
set -u
pattern=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work" ${memory:-}' EXIT
trap 'exit 130' INT TERM
export work
export PUENTE_ACTOR=${PUENTE_ACTOR:-tester} # what is done by hand is a named person's, also where tests run as root

# Stores wait for their disk at each commit: where there is memory to spare they lie there. TMPDIR: elsewhere.
if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ] && [ "$(df --output=avail -k /dev/shm | tail -n 1)" -gt 4000000 ] &&
  [ "$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)" -gt 6000000 ]; then
  memory=$(mktemp -d /dev/shm/puente-tests-XXXXXX)
  chmod 755 "$memory" # PostgreSQL runs as another user where the tests are root's
  export TMPDIR=$memory
fi

# What sanitizers keep of memory that was given back, by default 256 MB, makes every fork and every search for leaks
# slow.
export ASAN_OPTIONS=${ASAN_OPTIONS:-quarantine_size_mb=8}

# One program. What it says is shown whole, not between the lines of another; its counts go to a file of its own.
run_one() {
  program=$2
  name=${program#*/tests/}
  log=$work/$1
  started=$(date +%s)
  if ./"$program" >"$log" 2>&1; then verdict=ok; else verdict=FAILED; fi
  # cmocka closes each group with "[  PASSED  ] N test(s)" and the like
  p=$(awk '/^\[  PASSED  \] [0-9]+ test/ { n += $4 } END { print n + 0 }' "$log")
  f=$(awk '/^\[  FAILED  \] [0-9]+ test/ { n += $4 } END { print n + 0 }' "$log")
  s=$(awk '/^\[  SKIPPED \] [0-9]+ test/ { n += $4 } END { print n + 0 }' "$log")
  [ "$verdict" = ok ] || [ "$f" -gt 0 ] || f=1
  [ "$verdict" = FAILED ] || grep -a '^[a-z]* ok: ' "$log" >"$log.counts"
  echo "$p $f $s" >"$log.sums"
  (
    flock 9
    [ "$verdict" = ok ] || cat "$log"
    echo "$verdict $name: $p passed, $f failed, $s skipped ($(($(date +%s) - started)) s)"
    grep -a '^note:' "$log"
  ) 9>"$work/lock"
}
export -f run_one

number=1000 # counts are shown in the order of the programs
for program in "$@"; do
  case $program in *"$pattern"*) printf '%s\0%s\0' $((number += 1)) "$program" ;; esac
done | xargs -0 -r -n 2 -P "${JOBS:-$(($(nproc) + 1))}" bash -c 'run_one "$1" "$2"' -

sums=$(cat "$work"/*.sums 2>/dev/null | awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0 }')
read -r passed failed skipped <<<"$sums"
if [ $((passed + failed)) -eq 0 ]; then
  echo "no test matches '$pattern'" >&2
  exit 1
fi
echo "$passed passed, $failed failed, $skipped skipped"
cat "$work"/*.counts 2>/dev/null
[ "$failed" -eq 0 ]
