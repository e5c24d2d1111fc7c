"""Export: a mesh -> a file whose ending decides the format."""

from ..geometry import export as files
from ..geometry.mesh import Mesh
from .requests import Export, Written


def export(request: Export, progress, cancelled) -> Written:
    """Write .glb, .ply, .obj or .stl, whole or not at all."""
    progress(0.1, "Writing")
    files.write_mesh(Mesh(request.vertices, request.faces, request.colours, request.confidence), request.path)
    return Written(request.path)
