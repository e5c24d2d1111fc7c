"""Scene.maquette.capture: the settings of the next capture."""

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, PointerProperty, StringProperty

from ..operators import boxes, capture, photos, texture


def _chosen(self, context):
    photos.look()


class MaquetteCapture(bpy.types.PropertyGroup):
    """Scene.maquette.capture: the settings of the next capture."""

    filepath: StringProperty(
        name="Photos",
        description="A folder of photos all round one object, or a video of it",
        update=_chosen,
    )
    budget: FloatProperty(
        name="Time",
        description="How long to fit the photos; reading and meshing come on top",
        default=180,
        min=1,
        soft_max=1800,
        step=500,
        precision=0,
        unit="TIME_ABSOLUTE",
    )
    resolution: EnumProperty(
        name="Resolution", description="Cells along the box round the object", items=capture.RESOLUTIONS, default="192"
    )
    faces: IntProperty(
        name="Faces", description="Triangles to keep at most; 0 keeps all", default=0, min=0, soft_max=200000, step=100
    )
    unseen: EnumProperty(
        name="Unseen", description="What becomes of parts that no photo shows", items=capture.UNSEEN_ITEMS
    )
    method: EnumProperty(name="Method", description="What is fitted to the photos", items=capture.METHOD_ITEMS)
    box: PointerProperty(
        name="Box",
        description="An empty that says what to capture, by its place and scale; none: the object is found by itself",
        type=bpy.types.Object,
        poll=boxes.is_box,
    )
    size: EnumProperty(
        name="Texture", description="Pixels along the texture's side", items=texture.RESOLUTIONS, default="2048"
    )
    keep_uvs: BoolProperty(
        name="Keep UVs", description="Put the texture onto the active UV map instead of unwrapping the mesh"
    )
    distance: FloatProperty(
        name="Distance",
        description="How far apart the two vertices that are selected in Edit Mode really are",
        default=1.0,
        min=1e-6,
        soft_max=10,
        unit="LENGTH",
    )
