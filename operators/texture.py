"""The photos that show a mesh -> UVs and a texture on it, in place."""

import os

import bpy
import numpy as np
from bpy.props import BoolProperty, IntProperty, StringProperty

from ..jobs.requests import Texture
from ..jobs.texturing import SIDES
from . import captured, compute, datablocks, provenance, taken, textures
from .base import ONCE, JobOperator, told

RESOLUTIONS = [(str(n), str(n), f"{n} x {n} pixels") for n in (512, 1024, 2048, 4096)]


class MAQUETTE_OT_texture(JobOperator, bpy.types.Operator):
    """Unwrap the active mesh and give it a texture of the photos it was made from, which is sharper than its colors"""

    bl_idname = "maquette.texture"
    bl_label = "Texture from Photos"
    bl_options = {"UNDO"}

    size: IntProperty(name="Size", description="Pixels", default=2048, min=SIDES[0], max=SIDES[1], options=ONCE)
    keep_uvs: BoolProperty(name="Keep UVs", description="Use the active UV map as it is", options=ONCE)
    filepath: StringProperty(name="Photos", description="Where the photos are now, if they were moved", options=ONCE)

    @classmethod
    def poll(cls, context):
        if not captured.is_photographed(context.object):
            cls.poll_message_set("Select a mesh that was captured, or reconstructed from pictures")
            return False
        return True

    def requests(self, context):
        thing = context.object
        datablocks.check_editable(thing)
        captured_ = captured.is_capture(thing)
        self._name, rows = thing.name, (provenance.cameras if captured_ else taken.found_rows)(thing)
        if captured_ and provenance.meshing(thing).size is not None:
            raise ValueError(f"{thing.name} was given a size of its own, so its cameras no longer fit: Remesh it anew")
        size, keep = told(self, context.scene.maquette.capture, "size", "keep_uvs")
        context.view_layer.update()  # a script may just have moved it
        vertices, faces, corners, polygons = textures.triangles(thing.data)
        if not len(faces):
            raise ValueError(f"{thing.name} has no faces; a texture needs a surface")
        way = taken.to_photos(thing, rows, vertices)
        places = vertices @ way[:3, :3].T + way[:3, 3]
        asked = {"vertices": places, "faces": faces, "colours": textures.colours_of(thing.data)}
        asked |= {"size": int(size), "cache": compute.cache()}
        if keep:
            asked["uvs"] = textures.uvs_of(thing.data, corners)
        elif len(faces) > len(thing.data.polygons):
            asked["together"] = polygons
        folder = bpy.path.abspath(self.filepath) if self.filepath else taken.folder_of(thing) if captured_ else ""
        picture = os.path.join(bpy.app.tempdir, "maquette-texture.png")
        return [Texture(tuple(rows), folder, picture=picture, **asked)]

    def receive(self, context, answers):
        request, shape = answers[0].request, answers[0].result
        thing = bpy.data.objects.get(self._name)
        if not captured.is_photographed(thing):
            raise ValueError(f"{self._name} was removed meanwhile")
        datablocks.check_editable(thing)
        _, faces, corners, _ = textures.triangles(thing.data)
        if not np.array_equal(faces, request.faces):
            raise ValueError(f"{thing.name} was changed meanwhile; press {self.bl_label} again")
        layer = thing.data.uv_layers.active.name if request.uvs is not None else textures.UVS
        if request.uvs is None:
            textures.fill_uvs(thing.data, corners, shape.uvs)
        waits = textures.show(thing, request.picture, layer)
        provenance.note_texture(thing, shape.report["texture"])
        textures.show_in_view(context)
        os.unlink(request.picture)
        if waits:
            self.report({"WARNING"}, waits)
