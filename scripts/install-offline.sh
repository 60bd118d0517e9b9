#!/bin/sh
# Installs Puente @VERSION@ from this archive, without a network. usage: ./install.sh [PREFIX]   (default: /usr/local)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
prefix=${1:-/usr/local}
fail() { echo "install: $1" >&2; [ $# -lt 2 ] || echo "  hint: $2" >&2; exit 1; }

case $(uname -m) in x86_64) machine=amd64 ;; aarch64) machine=arm64 ;; *) machine=$(uname -m) ;; esac
[ "$machine" = @ARCH@ ] || fail "this archive is for @ARCH@, this machine is $machine" "take the archive for $machine"
glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | sed 's/.* //')
[ -n "$glibc" ] || fail "this system has no glibc" "Puente's archive is made for Debian and its relatives"
[ "$(printf '%s\n' @GLIBC@ "$glibc" | sort -V | head -n 1)" = @GLIBC@ ] ||
  fail "glibc $glibc is older than @GLIBC@, which this archive needs" "use the Debian release that the archive was made on"
(cd "$here" && sha256sum --quiet --strict --check SHA256SUMS >&2) ||
  fail "a file of the archive is not what its sum says" "copy the archive again and unpack it into an empty folder"
mkdir -p "$prefix" 2>/dev/null && [ -w "$prefix" ] || fail "$prefix cannot be written" "run it as root, or give a folder: ./install.sh PREFIX"
prefix=$(cd "$prefix" && pwd)

home=$prefix/lib/puente
rm -rf "$home.new"
mkdir -p "$home.new" "$prefix/bin" "$prefix/share"
cp -r "$here/bin" "$here/lib" "$here/licenses" "$here/demo.sh" "$home.new/"
# The program finds its data beside itself, and its libraries in its own folder.
ln -s ../../share "$home.new/share"
rm -rf "$home.old"
[ ! -e "$home" ] || mv "$home" "$home.old"
mv "$home.new" "$home"
rm -rf "$home.old"
cp -r "$here/share/." "$prefix/share/"
mkdir -p "$prefix/lib/systemd/system"
for unit in "$here"/systemd/*; do
  sed "s|@PREFIX@|$prefix|" "$unit" >"$prefix/lib/systemd/system/${unit##*/}"
done
for program in puente puente-simulator; do
  cat >"$prefix/bin/$program.new" <<END
#!/bin/sh
exec env LD_LIBRARY_PATH="$home/lib\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}" PUENTE_DATA="\${PUENTE_DATA:-$prefix/share/puente}" "$home/bin/$program" "\$@"
END
  chmod 755 "$prefix/bin/$program.new"
  mv "$prefix/bin/$program.new" "$prefix/bin/$program"
done
"$prefix/bin/puente" --lang en version >/dev/null || fail "the installed program does not start" "run $prefix/bin/puente to see why"
echo "installed Puente @VERSION@ in $prefix: $prefix/bin/puente"
echo "the demo, on simulated registries: $home/demo.sh FOLDER"
