#!/bin/bash
# session.sh CHAPTER/SCENE/SCENE...: inside the root, with the share at /share: the installed zip, and one Blender a chapter.
# Two go at a time, each on a screen of its own, so two Blenders share a machine here as they may at a desk.
set -eu
SIZE=1440x900
READY=/opt/maquette/bin/python # what make_root.sh prepared; the chapter no_torch starts with none set

screen() { # number
  Xvfb ":$1" -screen 0 ${SIZE}x24 -nolisten tcp >"/share/screen-$1.log" 2>&1 &
  export DISPLAY=:$1
  for _ in $(seq 100); do xdpyinfo >/dev/null 2>&1 && return; sleep 0.1; done
  echo "the screen $DISPLAY did not start: see screen-$1.log" >&2
  return 1
}

install() { # chapter, python: Blender's files of its own, with the zip in them
  export BLENDER_USER_RESOURCES=/tmp/blender-$1
  mkdir -p "$BLENDER_USER_RESOURCES"
  blender --background --python-exit-code 1 --python /share/scripts/prepare.py -- /share/maquette.zip "$2" \
    >"/share/$1-install.log" 2>&1 || { echo "the zip could not be installed: see $1-install.log" >&2; return 1; }
}

orphans() { # workers whose Blender is gone
  local worker parent
  for worker in $(pgrep -f jobs/launch.py); do
    parent=$(tr '\0' '\n' <"/proc/$worker/cmdline" 2>/dev/null | sed -n '/^--parent$/{n;p}')
    [ -z "$parent" ] || [ -d "/proc/$parent" ] || echo "$worker (of $parent)"
  done
}

play() { # chapter/scene/...
  local chapter=${1%%/*} python=$READY
  [ "$chapter" != no_torch ] || python=
  install "$chapter" "$python"
  timeout 900 blender --enable-event-simulate --window-geometry 0 0 ${SIZE/x/ } --python /share/scripts/drive.py -- "$1" \
    >"/share/$chapter.log" 2>&1 || echo "Blender ended with $? in $chapter" >&2
  for _ in $(seq 100); do [ -n "$(orphans)" ] || return 0; sleep 0.1; done
  orphans >"/share/$chapter-left-behind.txt"
}

lane() { # screen, chapters
  screen "$1"
  for chapter in "${@:2}"; do play "$chapter"; done
}

$READY /share/scripts/pictures.py /share/pictures
lane 77 "$1" &
[ $# = 1 ] || lane 78 "${@:2}" &
wait %1
[ $# = 1 ] || wait %2
