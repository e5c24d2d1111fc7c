"""People as painted meshes: faces of ICT FaceKit, heads and bodies of MakeHuman, each drawn, posed and painted anew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import trimesh
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ..readers import ict, makehuman, meshes
from . import face, head
from .body import BONES, HEAD, Body, drawn_body, held_by, posed, read_body
from .family import Family

ROUND = 0.8
"""Shortest side of an eyeball by its longest, at least"""
GREY = 0.3
"""Share that are of one colour, as figures of clay and stone are"""
DOLLS = 0.25
"""Share of the bodies whose heads are larger than life"""


class People:
    """Who can be drawn. Raises ValueError naming the file or folder that is missing or spoilt."""

    def __init__(self, faces: str | Path, heads: str | Path):
        base = makehuman.read_base(heads)
        targets = makehuman.read_targets(heads, head.GROUPS, len(base.vertices))
        self.families = face.family(ict.read(faces)), head.family(base, targets)
        self.body = read_body(base, targets)

    def draw(self, random: np.random.Generator) -> meshes.Painted:
        """A face, a head or, half of the time, a body, in the cube as `meshes.read` gives meshes."""
        which = int(random.integers(4))
        if which < 2:
            vertices, faces, colours = bust(self.families[which], random)
        else:
            vertices, faces, colours = figure(self.body, random)
        mesh = trimesh.Trimesh(vertices, triangles(faces), vertex_colors=colours, process=False)
        return meshes.join([meshes.one_part(mesh)]).turned(0.0)


def bust(family: Family, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A head that a family draws: vertices (V, 3), faces (F, 4), colours (V, 4)."""
    drawn = family.draw(random, 1)
    vertices = family.vertices + np.tensordot(drawn.identity[0], family.identity, 1)
    vertices = vertices + np.tensordot(drawn.expression[0], family.expression, 1)
    paints = palette(random)
    colours = np.tile(paints["skin"], (len(vertices), 1))
    low, high = vertices.min(0), vertices.max(0)
    rise, behind = (vertices[:, 2] - low[2]) / (high[2] - low[2]), (vertices[:, 1] - low[1]) / (high[1] - low[1])
    if random.random() < 0.6:
        colours[(rise > 0.45) & (rise + 0.5 * behind > random.uniform(0.9, 1.05))] = paints["hair"]
    for ball in eyeballs(vertices, family.faces):
        colours[ball] = paints["white"]
        colours[ball[vertices[ball, 1] < np.quantile(vertices[ball, 1], 0.12)]] = paints["iris"]
    return vertices, family.faces, colours


def eyeballs(vertices: np.ndarray, faces: np.ndarray) -> list[np.ndarray]:
    """The pieces of a head that are as long as they are wide and high, without the largest piece."""
    edge = np.concatenate([faces[:, :2], faces[:, 1:3], np.where(faces[:, 2:] >= 0, faces[:, 2:], faces[:, :2])])
    graph = coo_matrix((np.ones(len(edge)), edge.T), shape=(len(vertices),) * 2)
    piece = connected_components(graph, directed=False)[1]
    found = []
    for number in np.argsort(np.bincount(piece))[:-1]:
        here = np.flatnonzero(piece == number)
        extent = np.ptp(vertices[here], axis=0)
        if len(here) > 20 and extent.min() > ROUND * extent.max():
            found.append(here)
    return found


def figure(body: Body, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A body that is drawn and posed, in clothes: vertices (V, 3), faces (F, 4), colours (V, 4)."""
    vertices, joints, used, faces = drawn_body(body, random)
    weights = held_by(vertices, joints)
    paints = palette(random)
    clothes = np.stack([paints["skin" if bone.part == "head" else bone.part] for bone in BONES])
    colours = clothes[weights.argmax(1)]
    heads, neck = weights.argmax(1) == HEAD, joints["neck"]
    rise = (vertices[:, 2] - neck[2]) / (vertices[heads, 2].max() - neck[2])
    colours[heads & (rise + 2.5 * (vertices[:, 1] - neck[1]) > 0.7)] = paints["hair"]
    colours[np.isin(used, body.eyes)] = paints["white"]
    larger = random.uniform(1.2, 1.9) if random.random() < DOLLS else 1.0
    vertices = vertices + weights[:, HEAD, None] * (larger - 1) * (vertices - neck)
    return posed(vertices, joints, weights, random), faces, colours


def palette(random: np.random.Generator) -> dict[str, np.ndarray]:
    """Name -> RGBA bytes, sRGB. A share are of one colour altogether."""
    if random.random() < GREY:
        level = random.uniform(90, 230)
        one = (level * (1 + random.normal(0, 0.12, 3))).clip(30, 250)
        return dict.fromkeys(("skin", "hair", "white", "iris", "shirt", "trousers", "shoes"), rgba(one))
    pale = random.random()
    skin = (1 - pale) * np.array([75, 48, 34]) + pale * np.array([236, 200, 178])
    hair = random.random() ** 2 * np.array([215, 180, 120]) + random.uniform(10, 40, 3)
    shirt, trousers, shoes = random.uniform(15, 240, (3, 3))
    if random.random() < 0.15:
        shirt = trousers = shoes = skin
    return {
        "skin": rgba(skin), "hair": rgba(hair), "white": rgba([235, 232, 228]),
        "iris": rgba(random.uniform(10, 120, 3)), "shirt": rgba(shirt), "trousers": rgba(trousers),
        "shoes": rgba(shoes),
    }  # fmt: skip


def rgba(colour) -> np.ndarray:
    return np.array([*np.clip(colour, 0, 255), 255], np.uint8)


def triangles(faces: np.ndarray) -> np.ndarray:
    """(F, 4), -1 for no fourth corner -> (T, 3)."""
    quads = faces[:, 3] >= 0
    return np.concatenate([faces[:, :3], faces[quads][:, [0, 2, 3]]])
