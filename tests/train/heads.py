"""Tiny data sets in the layouts of ICT FaceKit and of mpfb2: an upright tube for a head, bumps for what moves."""

import gzip
import json

import numpy as np

from maquette.train.heads import draw_head, head

COLUMNS = 16
BOTH_SIDES = ("chin/chin-width", "mouth/mouth-angles", "nose/nose-nostrils")
UNITS = ("mouth-open", "eye-left-closure", "eye-right-closure")
ICT_UNITS = (
    "PupilDilate_L", "browDown_L", "browDown_R", "eyeBlink_L", "eyeBlink_R", "eyeLookUp_L", "eyeLookUp_R",
    "eyeLookDown_L", "eyeLookDown_R", "jawOpen", "mouthSmile_L", "mouthSmile_R",
)  # fmt: skip
PLACES = {  # name -> (x, y, z) dm near which vertices move, and where to
    "eyes/l-eye-scale-incr": ((0.4, 7.2, 0.9), (0.1, 0, 0)),
    "eyes/r-eye-scale-incr": ((-0.4, 7.2, 0.9), (-0.1, 0, 0)),
    "eyes/l-eye-corner1-up": ((0.7, 7.2, 0.7), (0, 0.1, 0)),
    "eyes/l-eye-corner2-up": ((0.2, 7.2, 1.0), (0, 0.1, 0)),
    "chin/chin-prominent-incr": ((0, 6.2, 1), (0, 0, 0.2)),
    "chin/chin-width-incr": ((0.4, 6.2, 0.9), (0.2, 0, 0)),
    "mouth/mouth-angles-up": ((0.7, 6.5, 0.7), (0, 0.1, 0)),
    "nose/nose-scale-depth-incr": ((0, 6.9, 1), (0, 0, 0.3)),
    "nose/nose-scale-vert-incr": ((0, 6.8, 1), (0, -0.2, 0)),
    "nose/nose-hump-incr": ((0, 7.2, 1), (0, 0, 0.1)),
    "nose/nose-nostrils-width-incr": ((0.4, 6.8, 0.9), (0.1, 0, 0)),
    "ears/l-ear-scale-vert-incr": ((1, 7.125, 0), (0, 0.2, 0)),
    "ears/l-ear-wing-incr": ((1, 7, 0), (0.2, 0, 0)),
    "ears/r-ear-wing-incr": ((-1, 7, 0), (-0.2, 0, 0)),
    "head/head-oval": ((0, 8, 0), (0, 0.1, 0)),
    "head/head-square": ((0, 7.5, 0), (0.1, 0, 0)),
    "forehead/forehead-nubian-incr": ((0, 7.8, 1), (0, 0, 0.1)),
    "eyebrows/eyebrows-trans-up": ((0, 7.5, 1), (0, 0.1, 0)),
    "cheek/l-cheek-bones-incr": ((0.8, 6.8, 0.6), (0.1, 0, 0)),
    "neck/neck-scale-horiz-incr": ((0, 6, 0), (0.1, 0, 0)),
    "asym/asym-jaw-1-l": ((0.5, 6.4, 0.8), (0.1, 0, 0)),
    "asym/asym-jaw-1-r": ((-0.5, 6.4, 0.8), (-0.1, 0, 0)),
}


def tube(low, high, rows, radius):
    """Vertices (N, 3), y up, the first column at the back (-z), and outward quads (F, 4); open at both ends."""
    turn = np.arange(COLUMNS) * 2 * np.pi / COLUMNS
    height = np.linspace(low, high, rows)
    x, z = radius * np.sin(turn), -radius * np.cos(turn)
    vertices = np.stack(np.broadcast_arrays(x[None], height[:, None], z[None]), -1).reshape(-1, 3)
    vertices[np.abs(vertices) < 1e-9] = 0
    n = np.arange((rows - 1) * COLUMNS).reshape(rows - 1, COLUMNS)
    right = np.roll(n, -1, 1)
    return vertices.astype(np.float32), np.stack([n, n + COLUMNS, right + COLUMNS, right], -1).reshape(-1, 4)


def bump(vertices, middle, towards, size):
    near = np.exp(-((np.linalg.norm(vertices - middle, axis=1) / size) ** 2))
    return (near[:, None] * towards).astype(np.float32)


def write_ict(folder, modes=24):
    """FaceKit of a head 24 cm high."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    vertices, faces = tube(-10, 14, 13, 8)
    identity = [bump(vertices, vertices[rng.integers(len(vertices))], rng.normal(0, 1, 3), 6) for _ in range(modes)]
    moves = [bump(vertices, vertices[rng.integers(len(vertices))], rng.normal(0, 1, 3), 4) for _ in ICT_UNITS]
    moves[ICT_UNITS.index("jawOpen")] = bump(vertices, [0, -4, 8], [0, -3, 0], 4)
    uv = np.stack([vertices[:, 0] / 16 + 0.5, vertices[:, 1] / 24 + 0.5], 1)
    np.savez(
        folder / "ict_identity.npz", v0=vertices, faces=faces.astype(np.int32), faces_uv=faces.astype(np.int32), uv=uv,
        identity=np.float16(identity),
    )  # fmt: skip
    np.savez(folder / "ict_expression.npz", expression=np.float16(moves), expression_names=np.array(ICT_UNITS))
    low = np.flatnonzero(vertices[:, 1] < 4)
    marks = rng.choice(low, 68, replace=False).tolist()
    (folder / "vertex_indices.json").write_text(json.dumps({"idx_to_landmark_verts": marks}))
    return folder


JOINTS = {
    "pelvis": (0, 0.7, 0.1), "neck": (0, 5.9, 0.1), "head-2": (0, 8.4, 0.1), "clavicle": (0.3, 5.2, 0.7),
    "scapula": (1.2, 5.5, 0.5), "shoulder": (1.7, 5.2, 0.1), "elbow": (3.1, 3.5, 0.1), "hand": (4.3, 2.4, 1.8),
    "upper-leg": (1.1, 0.5, 0.1), "knee": (1.6, -3.7, 0.3), "ankle": (2.2, -7.4, 0), "foot-2": (2.2, -8, 2),
}  # fmt: skip
"""In dm; those beside the middle are the left ones"""


def joint_parts():
    """(group, vertices, faces) of a small cube's worth of corners round each joint."""
    for name, place in JOINTS.items():
        for side, sign in (("", 1),) if place[0] == 0 else (("l-", 1), ("r-", -1)):
            vertices, faces = tube(-0.1, 0.1, 2, 0.1)
            yield f"joint-{side}{name}", vertices + [sign * place[0], *place[1:]], faces


def write_mpfb(folder):
    """Base mesh of a body from 3 to 8.5 dm, with a ring of edges each .25 dm, two eyes and the joints; its targets."""
    (folder / "3dobjs").mkdir(parents=True, exist_ok=True)
    vertices, faces = tube(3, 8.5, 23, 1)
    eyes = [tube(7.1, 7.3, 2, 0.1) for _ in range(2)]
    lines, count = ["# made by a test"], 0
    parts = [("body", vertices, faces)]
    parts += [(f"helper-{s}-eye", eye[0] + [x, 0, 0.8], eye[1]) for s, x, eye in zip("lr", (0.4, -0.4), eyes)]
    parts += joint_parts()
    everything = np.concatenate([part[1] for part in parts])
    lines += [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in everything]
    lines += [f"vt {x / 4 + 0.5:.6f} {y / 10:.6f}" for x, y, _ in everything]
    for name, own, quads in parts:
        lines += [f"g {name}", *("f " + " ".join(f"{n + count + 1}/{n + count + 1}" for n in quad) for quad in quads)]
        count += len(own)
    (folder / "3dobjs" / "base.obj").write_text("\n".join(lines))
    for name, (middle, towards) in targets().items():
        moved = bump(everything, middle, towards, 0.6)
        if name.startswith(BOTH_SIDES):
            moved += bump(everything, middle * np.array([-1, 1, 1]), towards * np.array([-1, 1, 1]), 0.6)
        write_target(folder / "targets" / f"{name}.target.gz", moved)
    return folder


def targets():
    rng = np.random.default_rng(1)
    found = dict(PLACES)
    for name, (middle, towards) in PLACES.items():
        if name.endswith("-incr"):
            found[name.replace("-incr", "-decr")] = middle, -np.array(towards)
    for ethnicity in draw_head.ETHNICITIES:
        for gender in draw_head.GENDERS:
            for age in draw_head.AGES:
                turn = rng.uniform(0, 2 * np.pi)
                place = [np.sin(turn), rng.uniform(6, 8), np.cos(turn)]
                found[f"macrodetails/{ethnicity}-{gender}-{age}"] = place, rng.normal(0, 0.6, 3)
        for k, unit in enumerate(UNITS):
            found[f"{head.UNITS}{ethnicity}/{unit}"] = ((0, 6.4, 1), (0.4, 7.2, 1), (-0.4, 7.2, 1))[k], (0, -0.2, 0)
    return found


def write_target(path, offsets):
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"{n} {a:.4f} {b:.4f} {c:.4f}" for n, (a, b, c) in enumerate(offsets) if abs(a) + abs(b) + abs(c) > 1e-3]
    path.write_bytes(gzip.compress("\n".join(["# basemesh", *rows]).encode()))
