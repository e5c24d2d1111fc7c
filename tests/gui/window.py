"""Drives the built extension in a real Blender window, on a machine that needs no screen, GPU or network of Blender's.

    python tests/gui/window.py [CHAPTER[/SCENE] ...] [--zip FILE]     of chapters/, all unless named

Screenshots, logs and verdict.json land in out/window/. Exit code 0: every scene passed; 1: not; 3: it cannot run here.
"""

import argparse
import ast
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OUT = ROOT / "out" / "window"
CANNOT_RUN = 3
LIMIT = 1500
"""Seconds for all chapters together."""


def scenes() -> dict[str, list[str]]:
    """Chapter -> its scenes, read from the source: chapters import bpy."""
    found = {}
    for path in sorted((HERE / "chapters").glob("[a-z]*.py")):
        body = ast.parse(path.read_text("utf-8")).body
        names = [node.name for node in body if isinstance(node, ast.FunctionDef)]
        found[path.stem] = [name.removeprefix("scene_") for name in names if name.startswith("scene_")]
    return found


def as_root() -> list[str]:
    return [] if os.geteuid() == 0 else ["sudo", "-n"]


def make_root() -> str:
    """The root's path; SystemExit with CANNOT_RUN where it cannot be made."""
    cache = os.environ.get("MAQUETTE_WINDOW_CACHE") or Path(
        os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "maquette-window"
    )
    made = subprocess.run([*as_root(), HERE / "make_root.sh", cache], stdout=subprocess.PIPE, text=True)
    if made.returncode:
        print("There is no root with a Blender to drive, and none could be made here", file=sys.stderr)
        raise SystemExit(CANNOT_RUN)
    return made.stdout.strip().splitlines()[-1]


def build_zip(folder: Path) -> Path:
    subprocess.run([sys.executable, ROOT / ".ci" / "zip.py", folder], check=True, stdout=subprocess.DEVNULL)
    return next(folder.glob("maquette-*.zip"))


def clear():
    """An empty out/window/, so that no picture or verdict of an earlier run is taken for one of this."""
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)


def wanted(names) -> dict[str, list[str]]:
    """Chapter -> scenes, of what was named as CHAPTER or CHAPTER/SCENE; everything when nothing was."""
    everything, found = scenes(), {}
    for name in names or everything:
        chapter, _, scene = name.partition("/")
        if chapter not in everything or scene and scene not in everything[chapter]:
            raise SystemExit(f"There is no {name}; there are {everything}")
        found.setdefault(chapter, []).extend([scene] if scene else everything[chapter])
    return found


def gather(chapters: dict[str, list[str]]) -> list[dict]:
    """What came of every scene; one that Blender did not live to tell of has failed."""
    verdict = []
    for chapter, names in chapters.items():
        told = OUT / f"{chapter}.json"
        lines = {line["scene"]: line for line in json.loads(told.read_text("utf-8"))} if told.exists() else {}
        for scene in names:
            silent = {"scene": scene, "ok": False, "error": f"Blender did not finish {chapter}: see {chapter}.log"}
            verdict.append({"chapter": chapter} | lines.get(scene, silent))
        if (OUT / f"{chapter}-left-behind.txt").exists():
            verdict[-1] |= {"ok": False, "error": f"Blender ended and a worker did not: {chapter}-left-behind.txt"}
    return verdict


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenes", nargs="*", metavar="CHAPTER[/SCENE]", help=f"of {', '.join(scenes())}")
    parser.add_argument("--zip", type=Path, help="the built extension; built now unless given")
    options = parser.parse_args()
    chapters = wanted(options.scenes)
    start = time.monotonic()
    clear()
    root = make_root()
    made = time.monotonic()
    shutil.copy(options.zip or build_zip(OUT / "zip"), OUT / "maquette.zip")
    shutil.copytree(HERE, OUT / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    parts = ["/".join([chapter, *names]) for chapter, names in chapters.items()]
    session = [*as_root(), HERE / "in_root.sh", root, OUT, "/share/scripts/session.sh", *parts]
    try:
        subprocess.run(session, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        print(f"The chapters took more than {LIMIT} s", file=sys.stderr)
    verdict = gather(chapters)
    for line in verdict:
        words = "ok    " if line["ok"] else "FAILED"
        print(f"{words} {line['chapter']}/{line['scene']} {line.get('seconds', '-')} s {line['error']}".rstrip())
    print(f"{made - start:.0f} s for the root, {time.monotonic() - made:.0f} s for the rest; screenshots in {OUT}")
    (OUT / "verdict.json").write_text(json.dumps(verdict, indent=1), "utf-8")
    return 0 if all(line["ok"] for line in verdict) else 1


if __name__ == "__main__":
    sys.exit(main())
