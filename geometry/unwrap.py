"""UVs: where each corner of a mesh lies in its texture."""

import numpy as np

from .charts import charts

WHOLE = 20_000
"""Faces up to which xatlas cuts the mesh itself, along its creases; for more it would take minutes"""
PACKING = 512
"""Pixels across at which charts are placed; places between pixels are kept, so the texture may be finer"""
GUTTER = 4096
"""Pixels round each chart times the texture's side: 4 at 1024, so that mipmaps of charts stay apart a while"""


def unwrap(mesh, size=2048, together=None):
    """UVs (F, 3, 2) float32 in [0, 1] of each face's corners, u to the right, v up; charts do not overlap.

    size: pixels along the texture's side, which decide how far apart charts lie. together (F,): faces of one number
    stay in one chart, as the triangles of a quad must. Small meshes are cut by Young's xatlas, which flattens as Lévy
    2002; large ones by charts.py. xatlas packs them all.
    """
    if len(mesh.faces) <= WHOLE and together is None:
        uvs = _cut_and_packed(mesh, size)
        if uvs is not None:
            return uvs
    chart, flat = charts(mesh, together)
    corners = chart[:, None].astype(np.int64) * len(mesh.vertices) + mesh.faces
    _, first, number = np.unique(corners, return_index=True, return_inverse=True)
    places = flat.reshape(-1, 2)[first]
    return _packed(places - places.min(axis=0), number.reshape(-1, 3), chart, size)


def _cut_and_packed(mesh, size):
    """By xatlas alone; None where it leaves faces out."""
    import xatlas  # few meshes are unwrapped

    atlas = xatlas.Atlas()
    atlas.add_mesh(np.ascontiguousarray(mesh.vertices, np.float32), np.ascontiguousarray(mesh.faces, np.uint32))
    return _placed(atlas, mesh.faces, size)


def _packed(places, corners, chart, size):
    """Charts that lie flat, places (P, 2) and corners (F, 3), side by side."""
    import xatlas

    scale = 1000.0 / max(float(places.max()), 1e-30)  # xatlas takes very small charts for nothing
    atlas = xatlas.Atlas()
    # Charts that happen to share places would be one to xatlas, were they not of different materials.
    parts = places * scale, corners, chart[:, None]
    atlas.add_uv_mesh(*(np.ascontiguousarray(part, kind) for part, kind in zip(parts, ("f4", "u4", "u4"))))
    uvs = _placed(atlas, corners, size)
    if uvs is None:
        raise ValueError("this mesh cannot be unwrapped: faces without area, or that cross; clean it up first")
    return uvs


def _placed(atlas, faces, size):
    import xatlas

    cutting, packing = xatlas.ChartOptions(), xatlas.PackOptions()
    packing.resolution, packing.padding, packing.bilinear = PACKING, max(1, GUTTER // size), True
    packing.rotate_charts = False  # it mirrors them
    atlas.generate(cutting, packing)
    if atlas.atlas_count != 1:
        return None
    vertices, corners, uvs = atlas[0]
    if len(corners) != len(faces) or not np.array_equal(vertices[corners], faces):
        return None
    side = np.array([atlas.width, atlas.height])
    return (uvs * (side / side.max()))[corners].astype(np.float32)
