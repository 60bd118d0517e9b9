#!/bin/sh
# The demo of an installed archive: no compiler, no network. usage: demo.sh [FOLDER]   (default: ./puente-demo)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
prefix=$(cd "$here/../.." && pwd)
mkdir -p "${1:-puente-demo}"
work=$(cd "${1:-puente-demo}" && pwd)
mkdir -p "$work/bin"
ln -sf "$prefix/bin/puente" "$prefix/bin/puente-simulator" "$work/bin/"
cd "$prefix/share/puente"
BUILD=$work/bin exec sh examples/peru/demo.sh
