"""MakeHuman's body: bent by the joints that its base mesh marks, each vertex moved by the bones that are nearest.

The rig itself is not among the targets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import trimesh

from ...geometry.frames import y_up_to_z_up
from ..readers.makehuman import Base
from .draw_head import AGES, ETHNICITIES, GENDERS
from .family import compact
from .head import offsets

EYES = ("helper-l-eye", "helper-r-eye")
SIDES = ("l", "r")
NEAR = 0.025
"""Metres by which a bone must be nearer than another to have e times its say"""
SWINGS = {"arm": (35, 25), "forearm": (0, 70), "thigh": (12, 45), "shin": (0, 60), "head": (12, 20)}
"""Degrees: of turning to the side and of swinging forwards or bending, the most that is drawn"""


@dataclass(frozen=True, eq=False)
class Body:
    """MakeHuman's body with eyes, metres, z up, looking along -y, and what moves it."""

    vertices: np.ndarray
    """(V, 3) of the base mesh, all of its groups: joints are vertices, too"""
    faces: np.ndarray
    """(F, 4) of body and eyes, -1 for no fourth corner"""
    macro: np.ndarray
    """(ethnicities, genders, ages, V, 3) offsets"""
    joints: dict[str, np.ndarray]
    """Name -> numbers of the vertices whose middle it is"""
    eyes: np.ndarray
    """Numbers of vertices"""


@dataclass(frozen=True)
class Bone:
    name: str
    part: str
    """What it is painted as"""
    parent: str
    joints: tuple[str, str]
    """From where to where"""
    longer: float = 1.0
    """Ends beyond its second joint: hands and feet have none at their ends"""


def skeleton() -> tuple[Bone, ...]:
    """Parents stand before their bones."""
    bones = [Bone("spine", "shirt", "", ("pelvis", "neck")), Bone("head", "head", "spine", ("neck", "head-2"))]
    for side in SIDES:
        names = {joint: f"{side}-{joint}" for joint in ("shoulder", "elbow", "hand", "upper-leg", "knee", "ankle")}
        bones += [
            Bone(f"{side}-chest", "shirt", "spine", (f"{side}-clavicle", names["shoulder"]), 0.8),
            Bone(f"{side}-flank", "shirt", "spine", (names["upper-leg"], f"{side}-scapula"), 0.8),
            Bone(f"{side}-hip", "trousers", "spine", ("pelvis", names["upper-leg"]), 0.8),
            Bone(f"{side}-arm", "shirt", "spine", (names["shoulder"], names["elbow"])),
            Bone(f"{side}-forearm", "skin", f"{side}-arm", (names["elbow"], names["hand"]), 1.6),
            Bone(f"{side}-thigh", "trousers", "spine", (names["upper-leg"], names["knee"])),
            Bone(f"{side}-shin", "trousers", f"{side}-thigh", (names["knee"], names["ankle"])),
            Bone(f"{side}-foot", "shoes", f"{side}-shin", (names["ankle"], f"{side}-foot-2"), 1.3),
        ]
    return tuple(bones)


BONES = skeleton()
HEAD = [bone.name for bone in BONES].index("head")


def read_body(base: Base, targets: dict) -> Body:
    """Raises ValueError where the base mesh lacks a joint."""
    joints = {name.removeprefix("joint-"): np.unique(f[..., 0]) for name, f in base.faces.items() if "joint-" in name}
    wanted = {joint for bone in BONES for joint in bone.joints}
    if missing := sorted(wanted - set(joints)):
        raise ValueError(f"3dobjs/base.obj has no group 'joint-{missing[0]}': bodies cannot be posed")
    every = np.arange(len(base.vertices))
    macro = [offsets(targets[f"macrodetails/{e}-{g}-{a}"], every) for e in ETHNICITIES for g in GENDERS for a in AGES]
    macro = np.stack(macro).reshape(len(ETHNICITIES), len(GENDERS), len(AGES), -1, 3)
    eyes = [base.faces[name] for name in EYES if name in base.faces]
    faces = np.concatenate([base.faces["body"], *eyes])[..., 0]
    numbers = np.unique(np.concatenate([np.zeros(0, np.int64), *(e[..., 0].ravel() for e in eyes)]))
    return Body(y_up_to_z_up(base.vertices) / 10, faces, macro, joints, numbers)


def drawn_body(body: Body, random: np.random.Generator):
    """One by age, gender, ethnicity and build: vertices (V, 3), joints by name, numbers in the base mesh, faces."""
    ages = np.zeros(len(AGES))
    between, first = random.random(), int(random.integers(1, len(AGES) - 1))
    ages[[first, first + 1]] = 1 - between, between
    male, ethnicity = random.beta(0.6, 0.6), random.dirichlet([0.5] * len(ETHNICITIES))
    who = np.einsum("e,g,a->ega", ethnicity, [1 - male, male], ages)
    build = np.append(random.uniform(0.85, 1.25, 2), 1)
    vertices = (body.vertices + np.tensordot(who, body.macro, 3)) * build
    joints = {name: vertices[numbers].mean(0) for name, numbers in body.joints.items()}
    used, faces = compact(body.faces)
    return vertices[used], joints, used, faces


def held_by(vertices: np.ndarray, joints: dict[str, np.ndarray]) -> np.ndarray:
    """(V, bones): the say of each bone, 1 in all; limbs of the other side have none."""
    away = []
    for bone in BONES:
        start, end = (joints[name] for name in bone.joints)
        end = start + bone.longer * (end - start)
        along = ((vertices - start) @ (end - start) / ((end - start) @ (end - start))).clip(0, 1)
        other = vertices[:, 0] * (1 if bone.name.startswith("l-") else -1) < -NEAR
        far = np.linalg.norm(vertices - start - along[:, None] * (end - start), axis=1)
        away.append(np.where(other & ("-" in bone.name), np.inf, far))
    away = np.stack(away, 1)
    say = np.exp(-(away - away.min(1, keepdims=True)) / NEAR)
    return say / say.sum(1, keepdims=True)


def posed(vertices: np.ndarray, joints: dict, weights: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Vertices (V, 3), each moved as the bones that hold it."""
    both = random.normal(0, 0.5, (len(SWINGS), 2)).clip(-1, 1)
    moved, out = {"": np.eye(4)}, np.zeros_like(vertices)
    alike = random.random() < 0.4
    for number, bone in enumerate(BONES):
        limb = bone.name.split("-")[-1]
        turn = np.eye(4)
        if limb in SWINGS:
            own = random.normal(0, 0.5, 2).clip(-1, 1)
            sideways, forwards = np.radians(SWINGS[limb]) * (both[list(SWINGS).index(limb)] if alike else own)
            if limb in ("forearm", "shin"):  # elbows and knees bend one way alone
                forwards = -abs(forwards) if limb == "shin" else abs(forwards)
            side = -1 if bone.name.startswith("r-") else 1
            turn = about(joints[bone.joints[0]], np.array([-forwards, side * sideways, 0]))
        moved[bone.name] = moved[bone.parent] @ turn
        out += weights[:, number, None] * (vertices @ moved[bone.name][:3, :3].T + moved[bone.name][:3, 3])
    return out


def about(point: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """(4, 4): a turn about x, then y, then z, through a point."""
    turn = trimesh.transformations.euler_matrix(*angles)
    turn[:3, 3] = point - turn[:3, :3] @ point
    return turn
