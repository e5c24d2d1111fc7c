"""Family "face", of ICT FaceKit: the head with neck, inside of the mouth and eyeballs; neither teeth nor lashes."""

from __future__ import annotations

import numpy as np

from ...geometry.frames import y_up_to_z_up
from ..readers.ict import FaceKit
from .family import Distance, Drawn, Family, Named, compact, extremes, lowest_border, standing

PARTS = ((0, 13294), (21451, 24591))
"""Vertices of face, head, neck and mouth; of both eyeballs"""
BY_LANDMARK = (
    ("face width", 0, 16, None),
    ("jaw width", 4, 12, None),
    ("eye distance", 39, 42, None),
    ("eye width", 36, 39, None),
    ("brow height", 19, 37, 2),
    ("nose length", 27, 33, None),
    ("nose width", 31, 35, None),
    ("nose depth", 30, 31, 1),
    ("mouth width", 48, 54, None),
    ("lip height", 51, 57, 2),
    ("chin height", 57, 8, 2),
)
"""Name, two of the 68 landmarks, axis"""
MOVES = (
    ("jaw open", {"jawOpen": 1}),
    ("jaw sideways", {"jawLeft": 1, "jawRight": -1}),
    ("smile left", {"mouthSmile_L": 1}),
    ("smile right", {"mouthSmile_R": 1}),
    ("frown", {"mouthFrown_L": 0.5, "mouthFrown_R": 0.5}),
    ("mouth sideways", {"mouthLeft": 1, "mouthRight": -1}),
    ("pucker", {"mouthPucker": 1}),
    ("upper lip up", {"mouthUpperUp_L": 0.5, "mouthUpperUp_R": 0.5}),
    ("cheek puff", {"cheekPuff_L": 0.5, "cheekPuff_R": 0.5}),
    ("nose sneer", {"noseSneer_L": 0.5, "noseSneer_R": 0.5}),
    ("brow raise", {"browInnerUp_L": 0.25, "browInnerUp_R": 0.25, "browOuterUp_L": 0.25, "browOuterUp_R": 0.25}),
    ("brow lower", {"browDown_L": 0.5, "browDown_R": 0.5}),
    ("blink left", {"eyeBlink_L": 1}),
    ("blink right", {"eyeBlink_R": 1}),
    ("eyes wide", {"eyeWide_L": 0.5, "eyeWide_R": 0.5}),
    ("look up", {"eyeLookUp_L": 0.5, "eyeLookUp_R": 0.5, "eyeLookDown_L": -0.5, "eyeLookDown_R": -0.5}),
    ("look left", {"eyeLookOut_L": 0.5, "eyeLookIn_R": 0.5, "eyeLookIn_L": -0.5, "eyeLookOut_R": -0.5}),
)
"""Left is the head's own. Blend shapes outside 0 to 1 are not drawn"""
AGAINST = (("jawLeft", "jawRight"), ("mouthLeft", "mouthRight"))
GAZE = ("Up", "Down"), ("Out", "In")
LEFT_OUT = ("PupilDilate",)


def family(kit: FaceKit) -> Family:
    kept = np.zeros(len(kit.vertices), bool)
    for first, last in PARTS:
        kept[first:last] = True
    chosen = (kept[kit.faces] | (kit.faces < 0)).all(1)
    used, faces = compact(kit.faces[chosen])
    uv_used, faces_uv = compact(kit.faces_uv[chosen])
    vertices = y_up_to_z_up(kit.vertices[used]).astype(np.float32) / 100
    names = [i for i, name in enumerate(kit.expression_names) if not name.startswith(LEFT_OUT)]
    offsets = [y_up_to_z_up(kit.identity[:, used]), y_up_to_z_up(kit.expression[names][:, used])]
    offsets = [offset.astype(np.float32) / 100 for offset in offsets]
    vertices, offsets = standing(vertices, offsets, lowest_border(vertices, faces))
    units = tuple(kit.expression_names[i] for i in names)
    moves = tuple((name, parts) for name, parts in MOVES if all(unit in units for unit in parts))
    signed = [Named(name, "", -1.0 if min(parts.values()) < 0 else 0.0, 1.0) for name, parts in moves]

    def draw(rng: np.random.Generator, count: int) -> Drawn:
        weights = expressions(rng, units, count)
        sums = np.stack([sum(f * weights[:, units.index(u)] for u, f in parts.items()) for _, parts in moves], 1)
        return Drawn(identities(rng, count, len(kit.identity)), weights, np.zeros((count, 0)), sums)

    where = np.searchsorted(used, kit.landmarks)
    return Family(
        "face", vertices, faces, faces_uv, kit.uv[uv_used].astype(np.float32), *offsets,
        distances(vertices, where), (), tuple(signed), draw,
    )  # fmt: skip


def identities(rng: np.random.Generator, count: int, modes: int) -> np.ndarray:
    """Each principal component has variance 1; those beyond 2.5 are drawn back to it."""
    return rng.standard_normal((count, modes)).clip(-2.5, 2.5)


def expressions(rng: np.random.Generator, units: tuple[str, ...], count: int) -> np.ndarray:
    """(n, E) in [0, 1]: a quarter neutral, else few units at a time; both sides alike more often than not."""
    at = {name: i for i, name in enumerate(units)}
    weights = sparse(rng, (count, len(units)))
    for name, i in at.items():
        if name.endswith("_R") and name[:-1] + "L" in at and "Look" not in name:
            left = weights[:, at[name[:-1] + "L"]]
            weights[:, i] = np.where(rng.random(count) < 0.65, left, weights[:, i])
    for pair in AGAINST:
        either(rng, weights, [at[name] for name in pair if name in at])
    gaze = rng.uniform(-1, 1, (count, 2)) * (rng.random((count, 1)) < 0.4)
    for axis, (more, less) in enumerate(GAZE):
        for side in "LR":
            # To the left is outwards for the left eye and inwards for the right one
            towards = gaze[:, axis] * (-1 if axis and side == "R" else 1)
            for name, weight in ((more, towards.clip(0)), (less, (-towards).clip(0))):
                if f"eyeLook{name}_{side}" in at:
                    weights[:, at[f"eyeLook{name}_{side}"]] = weight
    weights[rng.random(count) < 0.25] = 0
    return weights


def sparse(rng: np.random.Generator, shape: tuple[int, int], share: float = 0.13) -> np.ndarray:
    """Weights of which a share is at work, up to full strength."""
    return rng.random(shape) ** 0.8 * (rng.random(shape) < share)


def either(rng: np.random.Generator, weights: np.ndarray, pair: list[int]) -> None:
    """Two that exclude each other: one of them is silenced."""
    if len(pair) == 2:
        silent = rng.integers(0, 2, len(weights))
        for which in (0, 1):
            weights[silent == which, pair[which]] = 0


def distances(vertices: np.ndarray, landmarks: np.ndarray) -> tuple[Distance, ...]:
    brow, top = vertices[landmarks[19], 2], vertices[:, 2].max()
    skull = np.flatnonzero(vertices[:, 2] > brow + 0.25 * (top - brow))
    crown = int(vertices[:, 2].argmax())
    return (
        Distance("head height", crown, int(landmarks[8]), 2),
        extremes("head width", vertices, skull, 0),
        extremes("head depth", vertices, skull, 1),
        *(Distance(name, int(landmarks[a]), int(landmarks[b]), axis) for name, a, b, axis in BY_LANDMARK),
    )
