#!/bin/bash
# make_root.sh [CACHE]: make, or reuse, a Debian trixie root with Blender 4.3, Xvfb, software OpenGL and a torch that Blender's
# own process never sees; print its path. Needs root's rights and mmdebstrap. 2-4 minutes and 2.6 GB the first time.
#
# The root is built beside its final name and renamed when it is whole, so one that was interrupted is never taken for a root;
# the name holds a hash of this recipe, so a changed list of packages makes a new root and the old one goes.
set -eu
CACHE=${1:-${MAQUETTE_WINDOW_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/maquette-window}}
SUITE=trixie
MIRROR=${MIRROR:-$(awk '/^URIs:/{print $2; exit}' /etc/apt/sources.list.d/debian.sources 2>/dev/null || true)}
MIRROR=${MIRROR:-http://deb.debian.org/debian}
KEY=/usr/share/keyrings/debian-archive-keyring.gpg

# Without recommends Debian's Blender lacks numpy and the extension manager's modules: name them.
BLENDER=blender,python3-numpy,python3-requests,python3-cattr,python3-zstandard
SCREEN=xvfb,xauth,x11-utils,imagemagick,procps,fonts-dejavu-core
OPENGL=libgl1,libgl1-mesa-dri,libegl1,libegl-mesa0,libglx-mesa0
WORKER=python3-venv,python3-pip,python3-torch,python3-skimage,python3-scipy,python3-safetensors,python3-trimesh,python3-pil
WHEELS="fast-simplification xatlas" # what the worker needs and Debian lacks, into a venv over the system's packages

# Debian's Blender runs on the system's Python; an artist's has nothing but numpy. So these move where only the venv looks.
APART="torch functorch skimage scipy safetensors trimesh"

RECIPE=$(printf '%s\n' "$SUITE" "$BLENDER" "$SCREEN" "$OPENGL" "$WORKER" "$WHEELS" "$APART" | sha256sum | cut -c1-12)
ROOT=$CACHE/$SUITE-$RECIPE
mkdir -p "$CACHE"
exec 9>"$CACHE/lock"
flock 9 # two tests at once: the second waits, then reuses
if [ -e "$ROOT/opt/maquette/ready" ]; then
  echo "$ROOT"
  exit
fi
command -v mmdebstrap >/dev/null || { echo "make_root.sh needs mmdebstrap: apt-get install mmdebstrap" >&2; exit 3; }
[ "$(id -u)" = 0 ] || { echo "make_root.sh needs root's rights" >&2; exit 3; }
rm -rf --one-file-system "$CACHE"/"$SUITE"-* # half-made and outdated ones

HALF=$ROOT.half
OPTIONS=()
for f in /etc/apt/apt.conf.d/99*; do [ -e "$f" ] && OPTIONS+=(--aptopt="$f"); done # this machine's proxy and the like
mmdebstrap --mode=root --variant=apt --keyring="$KEY" "${OPTIONS[@]}" \
  --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Retries "3"' \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt=force-unsafe-io \
  --include="$BLENDER,$SCREEN,$OPENGL,$WORKER" "$SUITE" "$HALF" "deb [signed-by=$KEY] $MIRROR $SUITE main" >&2 9>&-
rm -rf "$HALF"/var/cache/apt/archives/*.deb "$HALF"/var/lib/apt/lists/*

# The wheels are fetched with this machine's pip, which knows its index and certificates, and installed without a network.
VERSION=$(chroot "$HALF" python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
mkdir -p "$HALF/opt/wheels"
python3 -m pip download --quiet --no-deps --only-binary=:all: --python-version "$VERSION" --dest "$HALF/opt/wheels" $WHEELS >&2
chroot "$HALF" python3 -m venv --system-site-packages /opt/maquette >&2
mkdir "$HALF/usr/lib/python3/apart" # beside dist-packages, for the links inside torch are relative
for name in $APART; do mv "$HALF/usr/lib/python3/dist-packages/$name"* "$HALF/usr/lib/python3/apart/"; done
echo /usr/lib/python3/apart >"$HALF/opt/maquette/lib/python$VERSION/site-packages/apart.pth"
chroot "$HALF" /opt/maquette/bin/pip install --quiet --no-index --find-links /opt/wheels --no-deps $WHEELS >&2
chroot "$HALF" /opt/maquette/bin/python -c 'import torch, skimage, scipy, safetensors, trimesh, PIL, fast_simplification, xatlas' >&2
touch "$HALF/opt/maquette/ready"
mv "$HALF" "$ROOT"
echo "$ROOT"
