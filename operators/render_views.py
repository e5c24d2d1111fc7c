"""Photograph objects of the scene with Blender's own cameras, for Capture."""

import json
import math
import os
import re
from dataclasses import dataclass, field

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, StringProperty

from ..jobs import environment
from . import compute, orbit, studio, tasks

SOURCES = [
    ("orbit", "Orbit", "From all round the selected objects, or the whole scene"),
    ("cameras", "Cameras", "Where the scene's cameras stand, through their lenses"),
]
ENGINES = [
    ("CYCLES", "Cycles", "Materials as they are"),
    ("WORKBENCH", "Workbench", "Quick: textures, colour attributes or the materials' viewport colours"),
]
SMALLEST = 32
"""Pixels along a side that Capture needs"""
# One table, for the sidebar's settings and for scripts that say it themselves.
SETTINGS = {
    "source": (EnumProperty, dict(name="From", items=SOURCES, default="orbit")),
    "count": (IntProperty, dict(name="Views", description="Pictures all round", default=48, min=4, max=2000)),
    "low": (
        FloatProperty,
        dict(
            name="Lowest",
            description="How far the lowest view looks down; below 0 it looks up",
            default=math.radians(-50),
            min=math.radians(-90),
            max=math.radians(90),
            subtype="ANGLE",
        ),
    ),
    "high": (
        FloatProperty,
        dict(
            name="Highest",
            description="How far the highest view looks down",
            default=math.radians(75),
            min=math.radians(-90),
            max=math.radians(90),
            subtype="ANGLE",
        ),
    ),
    "lens": (
        FloatProperty,
        dict(name="Lens", description="Focal length; a longer one stands further away", default=50, min=10, max=500),
    ),
    "resolution": (
        IntProperty,
        dict(
            name="Pixels",
            description="Along a picture's longer side",
            default=512,
            min=SMALLEST,
            max=8192,
            subtype="PIXEL",
        ),
    ),
    "engine": (EnumProperty, dict(name="Engine", items=ENGINES, default="CYCLES")),
    "samples": (
        IntProperty,
        dict(name="Samples", description="Of Cycles, for each pixel", default=16, min=1, max=4096),
    ),
    "even_light": (
        BoolProperty,
        dict(
            name="Even Light",
            description="White light from everywhere in place of the scene's, so that pictures show surfaces' colours",
            default=True,
        ),
    ),
    "directory": (
        StringProperty,
        dict(name="Folder", description="Where to put the pictures; empty: beside the .blend", subtype="DIR_PATH"),
    ),
}
OURS = "Maquette, Render Views"
"""Who wrote transforms.json, as it says itself"""


@dataclass
class Photographing(tasks.Task):
    """Photos that are being taken, a task as the panels show it; the operator takes them, no worker does."""

    place: studio.Studio = None
    folder: str = ""
    rows: list = field(default_factory=list)
    notes: list = field(default_factory=list)

    @property
    def note(self) -> str:
        return "Cancelling" if self.cancelled else f"{len(self.answers) + 1} of {len(self.requests)}"

    def step(self):
        """The timer asks every task to go on."""

    def take(self, context):
        """The next photo. Raises ValueError with a sentence."""
        shot = self.requests[len(self.answers)]
        within = f"images/{shot.name}.png"
        row = self.place.take(context, shot, os.path.join(self.folder, within))
        self.rows.append({"file_path": within} | row)
        self.answers.append(tasks.Answer(shot))

    def write(self):
        """transforms.json, at the end: without it the folder is no capture."""
        told = {"made_by": OURS, "camera_model": "OPENCV"}
        first = self.rows[0]
        for name in ("w", "h", "fl_x", "fl_y", "cx", "cy"):
            if all(row[name] == first[name] for row in self.rows):
                told[name] = first[name]
        if "fl_x" in told:
            told["camera_angle_x"] = 2 * math.atan(told["w"] / 2 / told["fl_x"])
        path = os.path.join(self.folder, "transforms.json")
        with open(f"{path}.part", "w", encoding="utf-8") as file:
            json.dump(told | {"frames": self.rows}, file, indent=1)
        os.replace(f"{path}.part", path)

    def discard(self):
        """Leave nothing of what was begun."""
        remove(self.folder, [f"images/{shot.name}.png" for shot in self.requests])


class MAQUETTE_OT_render_views(bpy.types.Operator):
    """Photograph the selected objects, or the whole scene, from all round or with its cameras, for Capture"""

    bl_idname = "maquette.render_views"
    bl_label = "Render Views"
    bl_options = {"UNDO"}

    def execute(self, context):
        """Scripts and --background: take all photos here and now."""
        manager = context.window_manager
        manager.progress_begin(0, 1)
        try:
            task = self._begin(context)
            try:
                while not task.ended:
                    task.take(context)
                    manager.progress_update(task.fraction)
                return self._finish(context, task)
            except BaseException:
                task.discard()
                raise
            finally:
                tasks.finish(task)
        except (ValueError, OSError) as error:
            return self._fail(error)
        finally:
            manager.progress_end()

    def invoke(self, context, event):
        if bpy.app.background or context.window is None:
            return self.execute(context)
        try:
            self._task = self._begin(context)
        except (ValueError, OSError) as error:
            return self._fail(error)
        self._timer = context.window_manager.event_timer_add(0.01, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context, event):
        """One photo at each turn, so that Esc and Cancel are heard in between."""
        task = self._task
        if event.type == "ESC" and event.value == "PRESS":
            task.cancel()
        elif event.type != "TIMER":
            return {"PASS_THROUGH"}
        elif task is tasks.Status.task and not task.ended:
            try:
                task.take(context)
                if not task.ended:
                    return {"RUNNING_MODAL"}
                result = self._finish(context, task)
                self._leave(context)
                return result
            except (ValueError, OSError) as error:
                self.cancel(context)
                return self._fail(error)
        self.cancel(context)
        self.report({"INFO"}, f"{self.bl_label} was cancelled")
        return {"CANCELLED"}

    def cancel(self, context):
        """Also called by Blender when the window closes under a running operator."""
        self._task.discard()
        self._leave(context)

    def _leave(self, context):
        context.window_manager.event_timer_remove(self._timer)
        tasks.finish(self._task)
        tasks.redraw()

    def _begin(self, context) -> Photographing:
        """Everything that can be wrong is found before the first photo. Raises ValueError with a sentence."""
        if tasks.busy():
            raise ValueError(f"Maquette is still busy ({tasks.Status.task.label}); wait for it or press Cancel")
        if context.mode != "OBJECT":
            raise ValueError(f"{self.bl_label} works in Object Mode; go back to it first")
        settings = context.scene.maquette.views
        given = {name: getattr(self if self.properties.is_property_set(name) else settings, name) for name in SETTINGS}
        studio.check_engine(given["engine"])
        things = orbit.chosen(context)
        shots, notes, size = self._shots(context, things, given)
        folder = folder_for(given["directory"], things)
        if not given["even_light"]:
            things = things + [light for light in studio.rendered(context.view_layer) if light.type == "LIGHT"]
        look = {name: given[name] for name in ("engine", "samples", "even_light")}
        keys = tuple(map(studio.key, things))
        task = Photographing(
            self.bl_label,
            shots,
            place=studio.Studio(context.scene.name, keys, size, **look),
            folder=folder,
            notes=notes,
        )
        make_ready(folder)
        tasks.Status.error = tasks.Status.log = ""
        tasks.Status.task = task
        return task

    def _shots(self, context, things, given):
        """(shots, notes, width and height)"""
        side = given["resolution"]
        if given["source"] == "orbit":
            shots = orbit.all_round(context, things, *(given[name] for name in ("count", "low", "high", "lens")))
            return shots, [], (side, side)
        shots, notes = orbit.from_cameras(context)
        render = context.scene.render
        scale = side / max(render.resolution_x, render.resolution_y)
        size = tuple(round(n * scale) for n in (render.resolution_x, render.resolution_y))
        if min(size) < SMALLEST:
            raise ValueError(f"Pictures of {size[0]} x {size[1]} pixels are too small to capture; set more Pixels")
        return shots, notes, size

    def _finish(self, context, task):
        task.write()
        context.scene.maquette.capture.filepath = shortened(task.folder)
        for note in task.notes:
            self.report({"WARNING"}, note)
        self.report({"INFO"}, f"{len(task.rows)} views are in {task.folder}; press Capture to make a mesh of them")
        return {"FINISHED"}

    def _fail(self, error):
        if isinstance(error, OSError):
            error = f"{error.filename or 'The folder'} cannot be written to: {error.strerror or error}"
        tasks.Status.error = str(error)
        tasks.redraw()
        self.report({"ERROR"}, str(error))
        return {"CANCELLED"}


MAQUETTE_OT_render_views.__annotations__ = {
    name: kind(**how, options={"SKIP_SAVE"}) for name, (kind, how) in SETTINGS.items()
}


# --- folders --------------------------------------------------------------------------------------------------------


def folder_for(directory: str, things) -> str:
    """Where the pictures go: where it was said, else beside the .blend, else to the extension's own folder."""
    if directory:
        return os.path.normpath(bpy.path.abspath(directory))
    name = f"{bpy.path.clean_name(things[0].name) if len(things) == 1 else 'Scene'} Views"
    if bpy.data.filepath:
        return os.path.join(os.path.dirname(bpy.data.filepath), name)
    return os.path.join(compute.user_folder() or environment.cache_folder(), "views", name)


def make_ready(folder: str):
    """A folder for new pictures: a new or empty one, or one of ours, whose old pictures go.

    Raises ValueError where it holds something else, OSError where it cannot be made."""
    path = os.path.join(folder, "transforms.json")
    if os.path.isdir(folder) and os.listdir(folder):
        told = _told(path)
        if told.get("made_by") != OURS:
            raise ValueError(f"{folder} holds other files; choose a new or empty folder")
        os.remove(path)
        remove(folder, [row.get("file_path") for row in told.get("frames", []) if isinstance(row, dict)])
    os.makedirs(os.path.join(folder, "images"), exist_ok=True)


def remove(folder: str, names):
    """Delete pictures of ours, and the folders that this leaves empty."""
    for name in names:
        if isinstance(name, str) and re.fullmatch(r"images/[^/\\]+\.png", name):
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                os.remove(path)
    for left in (os.path.join(folder, "images"), folder):
        if os.path.isdir(left) and not os.listdir(left):
            os.rmdir(left)


def shortened(folder: str) -> str:
    """Beside the .blend a relative path, which moves along with it."""
    if bpy.data.filepath and folder.startswith(os.path.dirname(bpy.data.filepath) + os.sep):
        return bpy.path.relpath(folder)
    return folder


def _told(path: str) -> dict:
    try:
        with open(path, encoding="utf-8") as file:
            told = json.load(file)
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
