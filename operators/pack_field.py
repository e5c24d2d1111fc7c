"""Keep an object's field in the .blend, so that it can be meshed anew on another machine."""

import os

import bpy

from . import compute, provenance
from .base import OnResult


class MAQUETTE_OT_pack_field(OnResult, bpy.types.Operator):
    """Store the field in the .blend, so that the object can be remeshed on another computer too"""

    bl_idname = "maquette.pack_field"
    bl_label = "Pack Field"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context):
        thing = context.object
        try:
            path = compute.field_path(provenance.field(thing))
        except ValueError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if not os.path.isfile(path):
            self.report({"ERROR"}, f"{thing.name}'s field is not in the cache any more; press Regenerate")
            return {"CANCELLED"}
        if provenance.PACKED in thing:
            del thing[provenance.PACKED]  # Blender cuts bytes that are put in the place of others at their first zero
        with open(path, "rb") as file:
            thing[provenance.PACKED] = file.read()
        self.report({"INFO"}, f"Packed {len(thing[provenance.PACKED]) / 2**20:.1f} MiB")
        return {"FINISHED"}


def unpack(thing):
    """Put a packed field back into the cache if it is missing there. Raises ValueError where there is no field."""
    packed, path = thing.get(provenance.PACKED), compute.field_path(provenance.field(thing))
    if not packed or os.path.exists(path):
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".part", "wb") as file:
        file.write(packed)
    os.replace(path + ".part", path)
