"""A mesh with smaller faces and the same surface, where what is known of corners must follow it closely."""

import numpy as np

from .mesh import Mesh

ROUNDS = 16


def finer(mesh, longest):
    """The mesh, edges longer than `longest` metres halved, and again: the same surface.

    Where a face was parted and its neighbour was not, their edges only lie on each other."""
    mesh = Mesh(mesh.vertices, mesh.faces, mesh.colours, uvs=mesh.uvs)
    for _ in range(ROUNDS):
        corners = mesh.vertices[mesh.faces].astype(np.float64)
        edges = ((corners - np.roll(corners, -1, axis=1)) ** 2).sum(axis=2)
        long = edges.max(axis=1) > longest**2
        if not long.any():
            break
        mesh = quartered(mesh, long)
    return mesh


def quartered(mesh, chosen):
    """The mesh with each chosen face (F,) bool parted in four at the middles of its edges; others stay as they are."""
    faces = mesh.faces[chosen]
    ends = np.sort(np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1), axis=-1).astype(np.int64)
    keys, number = np.unique((ends[..., 0] * len(mesh.vertices) + ends[..., 1]).ravel(), return_inverse=True)
    pairs = np.stack([keys // len(mesh.vertices), keys % len(mesh.vertices)])
    middles = (number.reshape(-1, 3) + len(mesh.vertices)).astype(np.int32)
    vertices, colours = (
        None if of is None else np.concatenate([of, of[pairs].mean(axis=0, dtype=np.float32)])
        for of in (mesh.vertices, mesh.colours)
    )
    own = mesh.uvs[chosen]
    uvs = np.concatenate([mesh.uvs[~chosen], _four(own, (own + np.roll(own, -1, axis=1)) / 2)])
    return Mesh(vertices, np.concatenate([mesh.faces[~chosen], _four(faces, middles)]), colours, uvs=uvs)


def _four(corners, middles):
    """Corners (4F, 3, ...) of the parts of faces, of corners and edges' middles (F, 3, ...)."""
    (a, b, c), (ab, bc, ca) = (np.moveaxis(part, 1, 0) for part in (corners, middles))
    return np.concatenate([np.stack(part, axis=1) for part in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))])
