#!/bin/sh
# Makes BUILD/puente-VERSION-offline-ARCH.tar.gz: program, simulator, the shared libraries that they need (all but those of
# glibc) with their licences, data, documentation, demo, and install.sh. usage: dist-offline.sh VERSION
set -eu
version=$1
BUILD=${BUILD:-build}
arch=$(dpkg --print-architecture)
name=puente-$version-offline-$arch
stage=$BUILD/offline/$name
rm -rf "$BUILD/offline"
mkdir -p "$stage/lib" "$stage/licenses"

make --no-print-directory install BUILD="$BUILD" DESTDIR="$stage" PREFIX=/tree >"$BUILD/offline/log" 2>&1 ||
  { cat "$BUILD/offline/log" >&2; exit 1; }
mv "$stage/tree/bin" "$stage/bin"
mv "$stage/tree/share" "$stage/share"
rm -rf "$stage/tree"
strip -o "$stage/bin/puente" "$BUILD/puente"
strip -o "$stage/bin/puente-simulator" "$BUILD/puente-simulator"
mkdir -p "$stage/share/puente/examples"
cp -r examples/peru "$stage/share/puente/examples/peru"
rm -rf "$stage/share/puente/examples/peru/simulator"
cp -r config/systemd "$stage/systemd"
mkdir -p "$stage/share/doc/puente"
cp -r docs README.md README.es.md LICENSE "$stage/share/doc/puente/"
cp LICENSE "$stage/licenses/puente"

# glibc is the system's: its version is checked at installation.
own='^(linux-vdso|ld-linux.*|libc|libm|libdl|librt|libpthread|libresolv|libutil|libanl|libnsl)\.so'
ldd "$BUILD/puente" "$BUILD/puente-simulator" | awk '$2 == "=>" && $3 ~ /^\// { print $1, $3 }' | sort -u |
  while read -r soname path; do
    if echo "$soname" | grep -qE "$own"; then continue; fi
    cp -L "$path" "$stage/lib/$soname"
    package=$(dpkg -S "$(realpath "$path")" 2>/dev/null | head -n 1 | cut -d: -f1)
    [ -n "$package" ] || package=$(dpkg -S "$path" 2>/dev/null | head -n 1 | cut -d: -f1)
    [ -n "$package" ] && [ -r "/usr/share/doc/$package/copyright" ] ||
      { echo "dist-offline: no licence text of $soname" >&2; exit 1; }
    cp -L "/usr/share/doc/$package/copyright" "$stage/licenses/$package"
  done

glibc=$(objdump -T "$stage"/bin/* "$stage"/lib/* 2>/dev/null | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort -uV | tail -n 1)
sed -e "s/@VERSION@/$version/g" -e "s/@ARCH@/$arch/g" -e "s/@GLIBC@/$glibc/g" scripts/install-offline.sh >"$stage/install.sh"
cp scripts/demo-offline.sh "$stage/demo.sh"
chmod 755 "$stage/install.sh" "$stage/demo.sh"
(cd "$stage" && find . -type f ! -name SHA256SUMS | LC_ALL=C sort | xargs sha256sum >SHA256SUMS)
tar --sort=name --owner=0 --group=0 --numeric-owner -C "$BUILD/offline" -cf - "$name" | gzip -6n >"$BUILD/$name.tar.gz"
(cd "$BUILD" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
echo "$BUILD/$name.tar.gz: $(du -h "$BUILD/$name.tar.gz" | cut -f1), libraries=$(ls "$stage/lib" | wc -l), glibc $glibc or newer"
