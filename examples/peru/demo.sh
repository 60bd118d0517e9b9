#!/bin/sh
# The main job on five simulated registries, in build/demo: sync, sync again with changes only, link, report. The
# workspace stays, so that every command of puente goes on from it:
#   build/puente --config build/demo/puente.yaml status
#
#   examples/peru/demo.sh          the demo; PERSONS and SEED choose another population
#   examples/peru/demo.sh serve    the registries of the last demo again, with a further round of changes, until Ctrl-C
set -eu

BUILD=${BUILD:-build}
PERSONS=${PERSONS:-2000}
SEED=${SEED:-1}
work=$BUILD/demo
export LANGUAGE=${LANGUAGE:-en}
unset PUENTE_CONFIG PUENTE_DATA
export PUENTE_ACTOR=${PUENTE_ACTOR:-demo} # the log names who acts

puente() { "$BUILD/puente" --config "$work/puente.yaml" "$@"; }
say() { printf '\n\033[1m%s\033[0m\n' "$*" | if [ -t 1 ]; then cat; else sed 's/\x1b\[[0-9]*m//g'; fi; }
fail() { echo "demo failed: $*" >&2; exit 1; }

# $1: file that the simulator writes, $2: what it has to hold ("" anything)
await() {
  tries=0
  until [ -s "$1" ] && { [ -z "$2" ] || [ "$(cat "$1")" = "$2" ]; }; do
    kill -0 "$simulator" 2>/dev/null || fail "the simulator ended"
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || fail "the simulator does not answer"
    sleep 0.1
  done
}

simulate() {
  rm -f "$work/port" "$work/round"
  "$BUILD/puente-simulator" --dir "$work" --data examples/peru/data --secrets "$work/secrets" --population "$PERSONS" \
    --seed "$SEED" "$@" &
  simulator=$!
  trap 'kill "$simulator" 2>/dev/null || true; wait "$simulator" 2>/dev/null || true' EXIT
  trap 'exit 130' INT TERM
  await "$work/port" ""
}

if [ "${1:-}" = serve ]; then
  [ -s "$work/settings" ] || fail "run 'make demo' first"
  . "$work/settings"
  simulate --port "$PORT" --round 3
  echo "serving on 127.0.0.1:$PORT, third round; in another terminal: $BUILD/puente --config $work/puente.yaml run"
  wait "$simulator"
  exit
fi

rm -rf "$work"
mkdir -p "$BUILD"
"$BUILD/puente" --quiet init "$work"
mkdir "$work/secrets"
cp -r examples/peru/config/. "$work/"
for source in sistra reta mimp; do
  (umask 077; od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$work/secrets/$source")
done

say "Five registries of one simulated population: $PERSONS persons, seed $SEED"
simulate
PORT=$(cat "$work/port")
printf 'PORT=%s\nPERSONS=%s\nSEED=%s\n' "$PORT" "$PERSONS" "$SEED" >"$work/settings"
sed -i "s/127\.0\.0\.1:8480/127.0.0.1:$PORT/" "$work"/sources/*.yaml
puente check

say "First sync: everything"
puente sync

say "The registries change: some records are new, corrected, or deleted"
kill -USR1 "$simulator"
await "$work/round" 2

say "Second sync: changes only"
puente sync

say "Third sync: nothing new"
puente sync

say "Link: which records are one person, which filings one case"
puente link

say "What the workspace holds"
puente report sources
say "Victims, consolidated, by age at the facts and sex"
puente report crosstab --by age_band --columns sex

# CSV ends its lines with CR and LF (RFC 4180).
count() { puente query --csv --purpose demo "$1" | tail -n 1 | tr -d '\r'; }
records=$(count "SELECT count(*) FROM records WHERE state = 'mapped'")
quarantined=$(count "SELECT count(*) FROM records WHERE state = 'quarantined'")
persons=$(count 'SELECT count(*) FROM persons')
cases=$(count 'SELECT count(*) FROM cases')
waiting=$(count "SELECT count(*) FROM pairs WHERE outcome = 'waiting'")
result=0
found=$("$BUILD/puente-simulator" evaluate "$work/truth.csv" "$work/puente.db" 0.99 0.90) || result=$?
say "Against the truth, which the linking never sees"
echo "$found"

say "Go on from here"
cat <<END
  $BUILD/puente --config $work/puente.yaml status
  $BUILD/puente --config $work/puente.yaml quarantine list
  $BUILD/puente --config $work/puente.yaml explain person 1

END
[ "$result" -eq 0 ] || fail "linking of persons is below precision 0.99 or recall 0.90"
figures() { echo "$found" | sed -n "s/^$1 .*precision=\([^ ]*\) recall=\([^ ]*\) .*/$2precision=\1 $2recall=\2/p"; }
echo "demo ok: sources=5 records=$records quarantined=$quarantined persons=$persons cases=$cases $(figures persons '')" \
  "$(figures cases case_) waiting=$waiting"
