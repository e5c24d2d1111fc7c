"""A mesh with smaller faces and the same surface, where what is known of corners must follow it closely."""

import dataclasses

import numpy as np

EDGE = 1.6e-5
"""Longest edge that stays, squared, as a share of the surface's area: that of about 100 000 faces of one size"""
ROUNDS = 12


def finer(mesh):
    """The mesh with all edges that are too long halved, and again; vertices, UVs and colours lie where they did."""
    corners = mesh.vertices[mesh.faces].astype(np.float64)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1).sum() / 2
    for _ in range(ROUNDS):
        corners = mesh.vertices[mesh.faces].astype(np.float64)
        edges = ((corners - np.roll(corners, -1, axis=1)) ** 2).sum(axis=2)
        long = edges.max(axis=1) > EDGE * area
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

    def grown(values):
        return None if values is None else np.concatenate([values, values[pairs].mean(axis=0, dtype=values.dtype)])

    uvs = mesh.uvs
    if uvs is not None:
        own = uvs[chosen]
        uvs = np.concatenate([uvs[~chosen], _four(own, (own + np.roll(own, -1, axis=1)) / 2)])
    faces = np.concatenate([mesh.faces[~chosen], _four(faces, middles)])
    return dataclasses.replace(
        mesh, vertices=grown(mesh.vertices), faces=faces, colours=grown(mesh.colours), uvs=uvs
    )


def _four(corners, middles):
    """Corners (4F, 3, ...) of the parts of faces, of corners and edges' middles (F, 3, ...)."""
    (a, b, c), (ab, bc, ca) = (np.moveaxis(part, 1, 0) for part in (corners, middles))
    return np.concatenate([np.stack(part, axis=1) for part in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))])
