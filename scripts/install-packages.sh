#!/bin/sh
# Installs the Debian packages named as arguments that are not there yet, and says which. Asks nothing.
set -eu

missing=""
for package in "$@"; do
  status=$(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null || true)
  case $status in
    ii*) ;;
    *) missing="$missing $package" ;;
  esac
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "puente: these Debian packages (or your system's equivalents) are needed:$missing" >&2
  exit 1
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
  if ! sudo -n true 2>/dev/null; then
    echo "puente: installing needs root; as an administrator run: apt-get install -y$missing" >&2
    exit 1
  fi
  as_root="sudo -n"
fi
echo "puente: installing Debian packages:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q >"$log" 2>&1 &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >>"$log" 2>&1
}
if ! install; then
  tail -n 20 "$log" >&2
  echo "puente: the packages could not be installed; see above" >&2
  exit 1
fi
echo "puente: packages installed"
