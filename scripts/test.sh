#!/bin/sh
# Runs test programs one after the other, from the top of the tree; shows the output of those that fail and closes with
# one line of counts, and the lines "NAME ok: counts" of programs that passed. usage: test.sh PATTERN PROGRAM...
set -u
pattern=$1
shift
passed=0
failed=0
skipped=0
log=$(mktemp)
counts=$(mktemp)
trap 'rm -f "$log" "$counts"' EXIT
for program in "$@"; do
  case $program in *"$pattern"*) ;; *) continue ;; esac
  name=${program#*/tests/}
  started=$(date +%s)
  if ./"$program" >"$log" 2>&1; then verdict=ok; else verdict=FAILED; fi
  # cmocka closes each group with "[  PASSED  ] N test(s)" and the like
  p=$(awk '/^\[  PASSED  \] [0-9]+ test/ { n += $4 } END { print n + 0 }' "$log")
  f=$(awk '/^\[  FAILED  \] [0-9]+ test/ { n += $4 } END { print n + 0 }' "$log")
  s=$(awk '/^\[  SKIPPED \] [0-9]+ test/ { n += $4 } END { print n + 0 }' "$log")
  if [ "$verdict" = FAILED ]; then
    cat "$log"
    [ "$f" -gt 0 ] || f=1
  fi
  echo "$verdict $name: $p passed, $f failed, $s skipped ($(($(date +%s) - started)) s)"
  grep -a '^note:' "$log"
  [ "$verdict" = FAILED ] || grep -a '^[a-z]* ok: ' "$log" >>"$counts"
  passed=$((passed + p))
  failed=$((failed + f))
  skipped=$((skipped + s))
done
if [ $((passed + failed)) -eq 0 ]; then
  echo "no test matches '$pattern'" >&2
  exit 1
fi
echo "$passed passed, $failed failed, $skipped skipped"
cat "$counts"
[ "$failed" -eq 0 ]
