"""Where a result came from, kept on its object as JSON: enough to make it again, or to mesh its field differently."""

import contextlib
import dataclasses
import functools
import hashlib
import json
import os
import zlib

import bpy
import numpy as np

from ..geometry.frames import carried_camera
from ..jobs import requests
from ..jobs.requests import Meshing
from . import masks

KEY = "maquette"
"""Custom property with the provenance."""
FIELD = "maquette_field"
"""Custom property with the field's key; missing where the field could not be kept."""
PACKED = "maquette_field_packed"
"""Custom property with the field's file, once it is packed into the .blend."""
MASK = "maquette_mask"
"""Custom property with the PNG of the mask that an artist painted for it, where one did; _0, _1, ... of several."""
SCALE = "maquette_scale"
"""Custom property with how many times its captured size an object has by Set Scale, and not its mesh"""
CAMERAS = "maquette_cameras"
"""Custom property with the cameras of the photos that show it, the report's rows as compressed JSON"""
LONG = ("cameras", "failed")
"""What a report may hold that is many lines long; the scene shows it."""
SELECT = "Select an object that was made by Maquette"


def write(thing, shape, request):
    """Note on the object what it was made from. Pictures are kept by path, also relative to the .blend, and hash."""
    record = dict(shape.provenance)
    record["request"] = requests.to_json(request)
    record["report"] = {name: value for name, value in shape.report.items() if name not in LONG}
    # The hash of what the worker read, not of what the file may hold by now.
    read = {item["path"]: item["sha256"] for item in record.pop("images", [])}
    record["inputs"] = [_input(path, read.get(path)) for path in getattr(request, "images", ())]
    thing[KEY] = json.dumps(record)
    _keep_cameras(thing, shape.report.get("cameras"))
    for name in [name for name in thing.keys() if name.startswith(MASK)]:
        del thing[name]  # Blender cuts bytes that are put in the place of others at their first zero
    for name, path in _masks(request).items():
        if painted := masks.stored(path):
            thing[name] = painted
    if thing.get(FIELD, "") != shape.field:
        for name in (FIELD, PACKED):
            if name in thing:
                del thing[name]
        if shape.field:
            thing[FIELD] = shape.field


def _masks(request) -> dict[str, str]:
    """The masks of a request, by the custom property that keeps each."""
    several = {f"{MASK}_{number}": path for number, path in enumerate(getattr(request, "masks", ()))}
    return {MASK: getattr(request, "mask", "")} | several


def with_masks(thing, asked):
    """The request with the masks that artists painted, which lie on the object, as files again."""
    kept = {name: masks.store(thing[name]) for name in _masks(asked) if name in thing}
    several = tuple(kept.get(f"{MASK}_{number}", path) for number, path in enumerate(asked.masks))
    return dataclasses.replace(asked, mask=kept.get(MASK, asked.mask), masks=several)


def note_meshing(thing, meshing: Meshing, report: dict):
    """The object's mesh was made anew from its field; what made the field stays as it was."""
    record = read(thing)
    if record["verb"] == "reconstruct":
        _carry_cameras(thing, record["report"].get("placement"), report.get("placement"))
    record["request"]["meshing"] = requests.to_json(meshing)
    record["report"] = {**record["report"], **report}
    record["report"].pop("texture", None)  # it was of the old faces
    thing[KEY] = json.dumps(record)


def _carry_cameras(thing, before, now):
    """The pictures' cameras go to where a mesh is that was placed otherwise `before`; both (4, 4) or None."""
    if CAMERAS not in thing or before is None or now is None:
        return
    with contextlib.suppress(ValueError):  # what cannot be read stays as it is; Texture says so
        way, rows = np.array(now) @ np.linalg.inv(before), cameras(thing)
        moved = [row | {"matrix": carried_camera(np.array(row["matrix"]), way).tolist()} for row in rows]
        _keep_cameras(thing, moved)


def _keep_cameras(thing, rows: list[dict] | None):
    if CAMERAS in thing:
        del thing[CAMERAS]  # Blender cuts bytes that are put in the place of others at their first zero
    if rows is not None:
        lasting = [{name: value for name, value in row.items() if name != "shown"} for row in rows]
        thing[CAMERAS] = zlib.compress(json.dumps(lasting).encode())


def cameras(thing) -> list[dict]:
    """Those of the photos that show an object, as in its report. Raises ValueError where they cannot be read."""
    if CAMERAS not in thing:
        raise ValueError(f"{thing.name} does not know its photos' cameras; Regenerate it, or capture the photos again")
    try:
        return json.loads(zlib.decompress(bytes(thing[CAMERAS])))
    except (TypeError, ValueError, zlib.error) as error:
        raise ValueError(f"{thing.name}'s record of its photos' cameras cannot be read: {error}") from None


def note_texture(thing, report: dict):
    """The object has a texture of its photos now."""
    record = read(thing)
    record["report"]["texture"] = report
    thing[KEY] = json.dumps(record)


def notes(report: dict) -> list[str]:
    """The sentences in a report that an artist should read."""
    return [report[name] for name in ("note", "over_budget") if report.get(name)]


def is_result(thing) -> bool:
    return thing is not None and thing.type == "MESH" and KEY in thing


def read(thing) -> dict:
    """The record on an object. Raises ValueError when there is none or it cannot be read."""
    if not is_result(thing):
        raise ValueError(SELECT)
    _asked(thing)
    return json.loads(thing[KEY])


def _asked(thing) -> requests.Reconstruct | requests.Capture:
    """The request in the record. Raises ValueError when it cannot be read."""
    try:
        return _parsed(thing[KEY])
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"{thing.name}'s record of how it was made cannot be read: {error}") from None


@functools.lru_cache(maxsize=64)
def _parsed(text: str) -> requests.Reconstruct | requests.Capture:
    record = json.loads(text)
    record["inputs"], record["report"]  # noqa: B018
    return request(record)  # frozen, so one may be shared; every slider asks for it at each drawing


def trouble(thing) -> str:
    """Why the record of a result cannot be read; "" when it can."""
    if not is_result(thing):
        return ""
    try:
        _asked(thing)
    except ValueError as error:
        return str(error)
    return ""


def request(record: dict) -> requests.Reconstruct | requests.Capture:
    """The request that made it, with today's mesh settings of the object."""
    return requests.from_json(record["request"])


def meshing(thing) -> Meshing:
    """The settings of the object's mesh."""
    return _asked(thing).meshing


def field(thing) -> str:
    """The key of the object's field. Raises ValueError where none was kept."""
    if not has_field(thing):
        raise ValueError(f"{thing.name} was made as a mesh, without a field; its sliders under Sample change it")
    if not thing.get(FIELD):
        raise ValueError(f"{thing.name}'s field could not be kept when it was made; press Regenerate to make it anew")
    return thing[FIELD]


def has_field(thing) -> bool:
    """Whether a result was made as a field, so that it can be meshed anew; some networks make meshes."""
    record = read(thing)
    return record["verb"] != "sample" or "field_level" in record["report"]


def photos(record: dict) -> list[str]:
    """Where the pictures are now. Raises ValueError naming one that is missing or was changed since."""
    found = []
    for item in record["inputs"]:
        places = [bpy.path.abspath(item["relative"])] if item.get("relative") and bpy.data.filepath else []
        places.append(item["path"])
        if bpy.data.filepath:  # a project that was first saved, or moved, after this was made
            places.append(bpy.path.abspath("//" + os.path.basename(item["path"])))
        path = next((place for place in places if os.path.isfile(place)), "")
        if not path:
            raise ValueError(f"{os.path.basename(item['path'])} is missing: it was at {item['path']}")
        if _sha256(path) != item["sha256"]:
            raise ValueError(f"{os.path.basename(path)} was changed since this was made from it: {path}")
        found.append(path)
    return found


def _input(path: str, sha256: str | None) -> dict:
    record = {"path": path, "sha256": sha256 or _sha256(path)}
    if bpy.data.filepath:
        try:
            record["relative"] = bpy.path.relpath(path)
        except ValueError:  # on another drive of Windows there is no relative path
            pass
    return record


def _sha256(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
