"""A mesh -> the sample that is most like it, in the same place."""

import math

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ..jobs.requests import Encode
from .base import JobOperator
from .sample import Found

SOLIDS = ("MESH", "CURVE", "SURFACE", "META", "FONT")


class MAQUETTE_OT_sample_encode(Found, JobOperator, bpy.types.Operator):
    """Find the sample that is most like the active object, modifiers included, and put it in the same place"""

    bl_idname = "maquette.sample_encode"
    bl_label = "Sample from Mesh"
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context):
        if context.object is None or context.object.type not in SOLIDS:
            cls.poll_message_set("Select an object that has a mesh")
            return False
        return True

    def requests(self, context):
        vertices, faces = solid(context)
        if not len(faces):
            raise ValueError(f"{context.object.name} has no faces; select an object that has a surface")
        self._at = vertices.mean(0)  # far from the world's origin the request's 32 bits would be coarse
        return [Encode(self.network(context), vertices=vertices - self._at, faces=faces, family=self.family)]

    def receive(self, context, answers):
        thing = self.found(context, answers[0], (0, 0, 0))
        report = answers[0].result.report
        turn = Matrix.Rotation(math.radians(report.get("turn", 0.0)), 4, "Z")
        place = Matrix.Translation(Vector(report.get("centre", (0, 0, 0))) + Vector(self._at))
        thing.matrix_world = place @ turn @ Matrix.Scale(report.get("scale", 1.0), 4)


def solid(context) -> tuple[np.ndarray, np.ndarray]:
    """The active object as it is seen: vertices (V, 3) float64 metres in the world, triangles (F, 3) int32."""
    seen = context.object.evaluated_get(context.evaluated_depsgraph_get())
    mesh = seen.to_mesh()
    try:
        vertices = np.empty(len(mesh.vertices) * 3, np.float32)
        mesh.vertices.foreach_get("co", vertices)
        mesh.calc_loop_triangles()
        faces = np.empty(len(mesh.loop_triangles) * 3, np.int32)
        mesh.loop_triangles.foreach_get("vertices", faces)
    finally:
        seen.to_mesh_clear()
    world = np.array(seen.matrix_world)
    faces = faces.reshape(-1, 3)
    if np.linalg.det(world[:3, :3]) < 0:  # a mirrored object
        faces = faces[:, ::-1]
    return vertices.reshape(-1, 3) @ world[:3, :3].T + world[:3, 3], np.ascontiguousarray(faces)
