"""blender --enable-event-simulate --python drive.py -- CHAPTER/SCENE/...: play scenes of chapters/CHAPTER.py.

A scene is a function of the chapter whose name starts with `scene_`, a generator; it passes unless it raises. What came
of each goes to CHAPTER.json once it has ended: Blender exits 0 whatever happened, so a scene not in there has failed.
"""

import importlib
import json
import sys
import time
import traceback
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
import hands  # noqa: E402  (Blender does not put the script's folder on the path)

CHAPTER, *SCENES = sys.argv[sys.argv.index("--") + 1].split("/")


def play(name, scene):
    """One scene from a fresh file; returns its line of the verdict."""
    start = time.monotonic()
    line = {"scene": name, "ok": False, "says": (scene.__doc__ or "").strip(), "error": ""}
    try:
        yield from hands.new_file()
        yield from scene()
        line["ok"] = True
    except Exception as error:
        traceback.print_exc()
        line["error"] = f"{type(error).__name__}: {error}"
        yield from hands.shot(f"{CHAPTER}-{name}-failed")
    line["seconds"] = round(time.monotonic() - start, 1)
    print("SCENE", json.dumps(line), flush=True)
    return line


def play_all():
    verdict = []
    try:
        yield 0.5
        chapter = importlib.import_module(f"chapters.{CHAPTER}")
        for name in SCENES:
            verdict.append((yield from play(name, getattr(chapter, f"scene_{name}"))))
            (hands.OUT / f"{CHAPTER}.json").write_text(json.dumps(verdict, indent=1))
    finally:
        bpy.ops.wm.quit_blender()


def step(generator=play_all()):  # noqa: B008  (the one generator, kept between the timer's calls)
    try:
        return float(next(generator))
    except StopIteration:
        return None
    except BaseException:
        bpy.ops.wm.quit_blender()
        raise


bpy.app.timers.register(step, first_interval=1.0, persistent=True)  # loading a file must not end the play
