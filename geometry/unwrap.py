"""UVs: where each corner of a mesh lies in its texture."""

import numpy as np

from .charts import charts, layered, neighbours

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
    found = cut(mesh) if len(mesh.faces) <= WHOLE and together is None else None
    chart, flat = found or charts(mesh, together)
    return packed(mesh, chart, flat, size)


def cut(mesh):
    """As charts of charts.py, by xatlas; None where it leaves faces out."""
    import xatlas  # few meshes are unwrapped

    atlas = xatlas.Atlas()
    atlas.add_mesh(np.ascontiguousarray(mesh.vertices, "f4"), np.ascontiguousarray(mesh.faces, "u4"))
    found = _generated(atlas, mesh.faces, 1)
    if found is None:
        return None
    chart = np.full(len(mesh.faces), -1, np.int32)
    for number in range(atlas.get_mesh_chart_count(0)):
        chart[np.asarray(atlas.get_mesh_chart(0, number).faces, np.int64)] = number
    if (chart < 0).any():
        return None
    b, c = found[:, 1] - found[:, 0], found[:, 2] - found[:, 0]
    mirrored = np.bincount(chart, b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0]) < 0
    flat = np.where(mirrored[chart, None, None], found * [-1, 1], found).astype(np.float64)
    return layered(chart, flat, np.zeros(mesh.faces.shape), neighbours(mesh.faces)), flat


def packed(mesh, chart, flat, size):
    """UVs (F, 3, 2) of charts (F,) that lie flat (F, 3, 2), put side by side."""
    import xatlas

    keys = chart[:, None].astype(np.int64) * len(mesh.vertices) + mesh.faces
    _, first, number = np.unique(keys, return_index=True, return_inverse=True)
    corners, places = number.reshape(-1, 3), flat.reshape(-1, 2)[first]
    places = places - places.min(axis=0)
    places *= 1000 / max(float(places.max()), 1e-30)  # xatlas takes very small charts for nothing
    atlas = xatlas.Atlas()
    # Charts that happen to share places would be one to xatlas, were they not of different materials.
    parts = zip((places, corners, chart[:, None]), ("f4", "u4", "u4"))
    atlas.add_uv_mesh(*(np.ascontiguousarray(part, kind) for part, kind in parts))
    uvs = _generated(atlas, corners, max(1, GUTTER // size))
    if uvs is None:
        raise ValueError("this mesh cannot be unwrapped: its faces have no area; clean it up first")
    return uvs


def _generated(atlas, faces, gutter):
    """UVs (F, 3, 2) float32 of the faces (F, 3) that were added; None where xatlas did not place them."""
    import xatlas

    cutting, packing = xatlas.ChartOptions(), xatlas.PackOptions()
    packing.resolution, packing.padding, packing.bilinear = PACKING, gutter, True
    packing.rotate_charts = False  # it mirrors them
    atlas.generate(cutting, packing)
    if atlas.atlas_count != 1:
        return None
    vertices, corners, uvs = atlas[0]
    if len(corners) != len(faces) or not np.array_equal(vertices[corners], faces):
        return None
    side = np.array([atlas.width, atlas.height])
    return (uvs * (side / side.max()))[corners].astype(np.float32)
