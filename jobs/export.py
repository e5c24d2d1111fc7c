"""Export: a mesh -> a file whose ending decides the format."""

from ..geometry import export as files
from ..geometry.mesh import Mesh
from .requests import EXPORTED, Export, Written


def export(request: Export, progress, cancelled) -> Written:
    """Write .glb, .ply, .obj or .stl, whole or not at all."""
    progress(0.1, "Writing")
    files.write_mesh(Mesh(**{name: getattr(request, name) for name in EXPORTED}), request.path)
    return Written(request.path)
