#!/bin/bash
# in_root.sh ROOT SHARE CMD...: run CMD in ROOT with SHARE at /share, without a network, in its own mount and process namespaces.
# ROOT is read-only meanwhile, /tmp is fresh memory, and whatever CMD started ends with it.
set -eu
ROOT=$1 SHARE=$2
shift 2
mkdir -p "$ROOT/share"
exec setpriv --pdeathsig KILL unshare --mount --pid --net --fork --kill-child bash -eu -c '
ROOT=$1 SHARE=$2; shift 2
mount --bind "$ROOT" "$ROOT"; mount -o remount,ro,bind "$ROOT"
mount -t proc proc "$ROOT/proc"; mount --rbind /dev "$ROOT/dev"; mount --rbind /sys "$ROOT/sys"
mount --bind "$SHARE" "$ROOT/share"; mount -t tmpfs tmpfs "$ROOT/tmp"; mkdir "$ROOT/tmp/home"
exec chroot "$ROOT" env -i HOME=/tmp/home PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
  LIBGL_ALWAYS_SOFTWARE=1 PYTHONDONTWRITEBYTECODE=1 "$@"' _ "$ROOT" "$SHARE" "$@"
