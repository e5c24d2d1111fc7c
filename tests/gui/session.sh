#!/bin/bash
# session.sh CHAPTER/SCENE/SCENE...: inside the root, with the share at /share: a screen, the installed zip, then one Blender a chapter.
# The chapter no_torch starts without a Python set; the others get the one that make_root.sh prepared.
set -eu
SIZE=1440x900
Xvfb :77 -screen 0 ${SIZE}x24 -nolisten tcp >/share/xvfb.log 2>&1 &
export DISPLAY=:77
/opt/maquette/bin/python /share/scripts/pictures.py /share/pictures &
PICTURES=$!

install() { # python, user resources
  mkdir -p "$2"
  BLENDER_USER_RESOURCES=$2 blender --background --python-exit-code 1 --python /share/scripts/prepare.py -- \
    /share/maquette.zip "$1" >/share/install.log 2>&1 || { echo "the zip could not be installed: see install.log" >&2; exit 1; }
}
install /opt/maquette/bin/python /tmp/blender
wait $PICTURES

for part in "$@"; do
  chapter=${part%%/*}
  export BLENDER_USER_RESOURCES=/tmp/blender
  if [ "$chapter" = no_torch ]; then
    export BLENDER_USER_RESOURCES=/tmp/blender-no-torch
    install "" "$BLENDER_USER_RESOURCES"
  fi
  timeout 500 blender --enable-event-simulate --window-geometry 0 0 ${SIZE/x/ } --python /share/scripts/drive.py -- "$part" \
    >"/share/$chapter.log" 2>&1 || echo "Blender ended with $? in $chapter" >&2
  for _ in $(seq 100); do pgrep -f jobs/launch.py >/dev/null || break; sleep 0.1; done
  ps -ef | grep '[j]obs/launch.py' >"/share/$chapter-left-behind.txt" || rm "/share/$chapter-left-behind.txt"
done
