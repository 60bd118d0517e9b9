#!/bin/sh
# Installs into an empty folder and uses what was installed there as a new user would: program, data, messages, manual,
# completion, pkg-config.
set -eu
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
fail() { echo "install: $*" >&2; exit 1; }
expect() { case $2 in *"$1"*) ;; *) fail "expected '$1' in: $2" ;; esac; }

make --no-print-directory install BUILD="$BUILD" DESTDIR="$stage" PREFIX=/usr >"$stage/log" 2>&1 || { cat "$stage/log"; fail "make install"; }
usr=$stage/usr
unset PUENTE_DATA PUENTE_CONFIG

expect "puente 0" "$("$usr/bin/puente" --lang en version)"
"$usr/bin/puente" --lang en --quiet init "$stage/work"
expect "$usr/share/puente" "$("$usr/bin/puente" --lang en --config "$stage/work/puente.yaml" check)"
expect "traer" "$("$usr/bin/puente" --lang es help)"
MANPATH=$usr/share/man man -P cat puente 2>/dev/null | grep -q 'quarantine' || fail "the manual has no quarantine"
bash -n "$usr/share/bash-completion/completions/puente" || fail "completion"

export PKG_CONFIG_PATH="$usr/lib/pkgconfig"
cat >"$stage/use.c" <<'END'
#include "core/base/date.h"
int main(void) {
  struct date date;
  return date_parse_iso(slice_of("2019-03-31"), &date) && date.day == 31 ? 0 : 1;
}
END
gcc $(pkg-config --define-variable=prefix="$usr" --cflags puente) -o "$stage/use" "$stage/use.c" \
  $(pkg-config --define-variable=prefix="$usr" --libs puente) || fail "the library does not link"
"$stage/use" || fail "the library does not work"
echo "install ok: $(find "$usr" -type f | wc -l) files"
