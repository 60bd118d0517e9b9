#!/bin/sh
# The archive of `make dist-offline`, unpacked in an empty folder, installed, and its demo run: in a network namespace with
# nothing but loopback, with a short PATH and an empty environment, each library from the archive.
set -eu
BUILD=${BUILD:-build}
archive=$(cd "$BUILD" && pwd)/$(cd "$BUILD" && ls puente-*-offline-*.tar.gz | tail -n 1)
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
fail() { echo "offline: $*" >&2; exit 1; }

cat >"$stage/inside" <<'END'
set -eu
ip link set lo up
[ "$(ls /sys/class/net 2>/dev/null | grep -vxc lo)" -eq 0 ] || [ "$(tail -n +3 /proc/net/dev | grep -vc ' *lo:')" -eq 0 ]
# What is sent to another machine, or asked of a name server, has no way here, and the kernel counts the tries: the
# first one is the shell's own, to see that it does.
tries() {
  cat /proc/net/snmp /proc/net/snmp6 2>/dev/null | awk '
    ($1 == "Ip:" || $1 == "Udp:") && $2 !~ /^[0-9]/ { for (i = 2; i <= NF; i++) if ($i ~ /^(OutNoRoutes|NoPorts)$/) at[$1] = i }
    ($1 == "Ip:" || $1 == "Udp:") && $2 ~ /^[0-9]/ { n += $at[$1] }
    $1 == "Ip6OutNoRoutes" { n += $2 }
    END { print n + 0 }'
}
bash -c ': </dev/tcp/192.0.2.1/9' 2>/dev/null || true
own=$(tries)
[ "$own" -gt 0 ] || { echo "offline: this kernel does not count what has no way" >&2; exit 1; }
cd "$1"
tar -xzf "$2"
cd puente-*-offline-*
./install.sh "$1/here" >"$1/install.out"
for binary in "$1"/here/lib/puente/bin/*; do
  LD_LIBRARY_PATH=$1/here/lib/puente/lib ldd "$binary" | awk '$2 == "=>" { print $1, $3 }' | while read -r name path; do
    case $name in ld-linux*|libc.so.*|libm.so.*|libdl.so.*|librt.so.*|libpthread.so.*|libresolv.so.*) continue ;; esac
    case $path in "$1"/here/*) ;; *) echo "offline: $name comes from $path" >&2; exit 1 ;; esac
  done
done
grep -q "^ExecStart=$1/here/bin/puente " "$1/here/lib/systemd/system/puente.service" ||
  { echo "offline: the unit of systemd is not installed" >&2; exit 1; }
cd /
PERSONS=300 "$1/here/lib/puente/demo.sh" "$1/demo" >"$1/demo.out" 2>&1 || { tail -n 20 "$1/demo.out" >&2; exit 1; }
[ "$(tries)" -eq "$own" ] || { echo "offline: something tried to reach another machine" >&2; exit 1; }
END
env=$(command -v env)
run="$env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=$stage LC_ALL=C.UTF-8"
unshare=unshare
[ "$(id -u)" -eq 0 ] && flags=-n || flags=-rn
$unshare $flags true 2>/dev/null || { echo "offline: skipped: this system makes no network namespaces"; exit 0; }
$run $unshare $flags sh "$stage/inside" "$stage" "$archive" || fail "in the namespace"
last=$(tail -n 1 "$stage/demo.out")
case $last in "demo ok: "*) ;; *) fail "the demo ends with: $last" ;; esac

# A file that was changed on the way is found before anything is installed.
cd "$stage"/puente-*-offline-*
echo >>share/puente/config/puente.yaml
if ./install.sh "$stage/other" >"$stage/refused" 2>&1; then fail "a changed file was installed"; fi
grep -q 'a file of the archive is not what its sum says' "$stage/refused" || fail "a changed file: $(cat "$stage/refused")"
[ ! -e "$stage/other" ] || fail "a refused installation left files"
echo "offline ok: $last"
