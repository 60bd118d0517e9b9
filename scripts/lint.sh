#!/bin/sh
# The gates a machine keeps: formatting, sizes, complexity, banned functions, static analysis. Prints what fails and where.
# A function or file over a limit says why in a comment "lint: long because ..." inside it.
set -u
cd "$(dirname "$0")/.."
failed=0
fail() {
  echo "lint: $*" >&2
  failed=1
}
sources=$(find core connectors mapping examples tests -name '*.[ch]' | sort)
bodies=$(find core connectors mapping examples tests -name '*.c' | sort)

echo $sources | xargs -n 200 -P 2 clang-format --dry-run --Werror || fail "formatting differs: run 'make format'"

for file in $sources; do
  lines=$(wc -l <"$file")
  [ "$lines" -le 600 ] || grep -q 'lint: long because' "$file" || fail "$file: $lines lines, most are 600"
done

# pmccabe columns: modified complexity, complexity, statements, first line, lines, file(line): function
pmccabe $bodies | awk '$1 > 15 || $5 > 60 { print $6 " " $7 ": complexity " $1 " (most 15), " $5 " lines (most 60)"; bad = 1 }
  END { exit bad }' >&2 || fail "functions over their limits"

grep -nE '\b(strcpy|strcat|sprintf|vsprintf|atoi|atol|atof|strtok|gets|alloca|tmpnam|mktemp)[[:space:]]*\(' $sources |
  grep -vE '^[^:]*:[0-9]+:[[:space:]]*(/\*|\*)' && fail "banned functions"
grep -nE '\b(system|popen)[[:space:]]*\(' $(echo "$sources" | grep -v '^tests/') |
  grep -vE '^[^:]*:[0-9]+:[[:space:]]*(/\*|\*)' && fail "a shell in the program"
grep -rnE '\b(TODO|FIXME|XXX|HACK)\b' $sources Makefile scripts config --include='*' | grep -v 'scripts/lint.sh' &&
  fail "unfinished work"

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
xgettext --from-code=UTF-8 --keyword=_ --keyword=N_ --no-location -o "$fresh/puente.pot" \
  $(find core connectors mapping -name '*.[ch]' | sort)
for po in po/*.po; do
  msgmerge --quiet --no-fuzzy-matching -o "$fresh/po" "$po" "$fresh/puente.pot"
  msgattrib --untranslated --no-obsolete --no-wrap "$fresh/po" | grep '^msgid' >&2 &&
    fail "$po: messages without a translation: run 'make messages' and fill them in"
done

mkdir -p build/cppcheck # what it found of files that did not change is kept
cppcheck --quiet --cppcheck-build-dir=build/cppcheck --std=c11 --language=c --enable=warning,performance,portability --error-exitcode=1 --inline-suppr \
  --suppress=missingIncludeSystem --suppress=unmatchedSuppression --suppress=normalCheckLevelMaxBranches \
  --suppress=checkersReport -I. -j2 core connectors mapping examples || fail "cppcheck"

if [ "${1:-}" = deep ]; then
  flags="-std=c17 -D_GNU_SOURCE -DPUENTE_VERSION=\"\\\"0\\\"\" -I. $(pkg-config --cflags $PUENTE_PACKAGES)"
  echo $bodies | xargs -n 8 -P 2 sh -c 'clang-tidy --quiet "$@" -- '"$flags"' 2>/dev/null' clang-tidy || fail "clang-tidy"
fi
[ "$failed" -eq 0 ] && echo "lint ok: files=$(echo "$sources" | wc -l)"
exit "$failed"
