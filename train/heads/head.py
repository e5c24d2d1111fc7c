"""Family "head", of MakeHuman's base mesh and targets: head and neck, eyeballs, teeth and tongue."""

from __future__ import annotations

import numpy as np

from ...geometry.frames import y_up_to_z_up
from ..readers.makehuman import Base
from .cut import above_neck
from .draw_head import ETHNICITIES, Recipe
from .family import Distance, Drawn, Family, Named, compact, extremes, standing

GROUPS = (
    "macrodetails", "head", "forehead", "eyebrows", "eyes", "nose", "mouth", "cheek", "chin", "ears", "neck", "asym",
    "expression/units",
)  # fmt: skip
PARTS = ("helper-l-eye", "helper-r-eye", "helper-upper-teeth", "helper-lower-teeth", "helper-tongue")
UNITS = "expression/units/"
MOVES = (
    ("mouth open", ("mouth-open",)),
    ("smile", ("mouth-corner-puller",)),
    ("lip corners down", ("mouth-depression",)),
    ("upper lip up", ("mouth-elevation",)),
    ("pucker", ("mouth-pursing",)),
    ("lips pressed", ("mouth-compression",)),
    ("lips back", ("mouth-retraction",)),
    ("blink left", ("eye-left-closure",)),
    ("blink right", ("eye-right-closure",)),
    ("eyes wide", ("eye-left-opened-up", "eye-right-opened-up")),
    ("brow raise", ("eyebrows-left-up", "eyebrows-right-up")),
    ("brow lower", ("eyebrows-left-down", "eyebrows-right-down")),
    ("nose wrinkle", ("nose-left-elevation", "nose-right-elevation")),
    ("nostrils wide", ("nose-left-dilatation", "nose-right-dilatation")),
    ("neck tense", ("neck-platysma",)),
)
"""Left is the head's own"""


def family(base: Base, targets: dict[str, tuple[np.ndarray, np.ndarray]]) -> Family:
    """targets: of GROUPS. Raises ValueError where one that is needed is missing."""
    all_vertices = y_up_to_z_up(base.vertices) / 10
    body, ring = above_neck(all_vertices, base.faces["body"])
    corners = np.concatenate([body, *(base.faces[name] for name in PARTS if name in base.faces)])
    used, faces = compact(corners[..., 0])
    uv_used, faces_uv = compact(corners[..., 1])
    vertices = all_vertices[used].astype(np.float32)
    dense = {name: offsets(target, used) for name, target in targets.items()}
    recipe = Recipe(tuple(name for name in dense if not name.startswith(UNITS)), units(dense))
    identity = np.stack([dense[name] for name in recipe.targets])
    moves = [dense[f"{UNITS}{ethnicity}/{unit}"] for unit in recipe.units for ethnicity in ETHNICITIES]
    vertices, (identity, expression) = standing(vertices, [identity, np.stack(moves)], np.searchsorted(used, ring))
    named = tuple((name, parts) for name, parts in MOVES if set(parts) <= set(recipe.units))

    def draw(rng: np.random.Generator, count: int) -> Drawn:
        weights, about, ethnicity = recipe.identities(rng, count)
        strength = recipe.expressions(rng, count)
        by_unit = [strength[:, [recipe.units.index(unit) for unit in parts]].mean(1) for _, parts in named]
        mixed = (strength[:, :, None] * ethnicity[:, None]).reshape(count, -1)
        return Drawn(weights, mixed, about, np.stack(by_unit, 1))

    typical = vertices + np.tensordot(draw(np.random.default_rng(0), 500).identity.mean(0), identity, 1)
    middle = body_only(faces, len(body))
    return Family(
        "head", vertices, faces, faces_uv, base.uv[uv_used], identity, expression,
        distances(typical, middle, Regions(dense)),
        (Named("age", "years", 1, 90), Named("masculine", "", 0, 1)),
        tuple(Named(name, "", 0.0, 1.0) for name, _ in named),
        draw,
    )  # fmt: skip


def offsets(target: tuple[np.ndarray, np.ndarray], used: np.ndarray) -> np.ndarray:
    """A target's offsets (V, 3) in metres of the vertices kept."""
    where, moved = target
    place = np.searchsorted(used, where).clip(max=len(used) - 1)
    kept = used[place] == where
    dense = np.zeros((len(used), 3), np.float32)
    dense[place[kept]] = y_up_to_z_up(moved[kept]) / 10
    return dense


def units(dense: dict) -> tuple[str, ...]:
    """Names of expressions, each there for all ethnicities."""
    names = sorted({name.rsplit("/", 1)[1] for name in dense if name.startswith(UNITS)})
    missing = [f"{UNITS}{e}/{n}" for n in names for e in ETHNICITIES if f"{UNITS}{e}/{n}" not in dense]
    if missing or not names:
        raise ValueError(f"{missing[0] if missing else UNITS}.target.gz is missing: mpfb2 has it for each ethnicity")
    return tuple(names)


def body_only(faces: np.ndarray, count: int) -> np.ndarray:
    """Vertices of the body's faces, which come first."""
    return np.unique(faces[:count])


class Regions:
    """What a target moves by a good part of the most that it moves anything, as numbers of vertices."""

    def __init__(self, dense: dict[str, np.ndarray]):
        self.dense = dense

    def __call__(self, name: str, share: float = 0.3) -> np.ndarray:
        if name not in self.dense:
            raise ValueError(f"targets/{name}.target.gz is missing: it tells where a slider is measured")
        far = np.linalg.norm(self.dense[name], axis=1)
        return np.flatnonzero(far >= share * max(far.max(), 1e-9))


def distances(vertices: np.ndarray, body: np.ndarray, region: Regions) -> tuple[Distance, ...]:
    """Between vertices that are chosen once, on the mean shape."""
    left, right = (nearest_middle(vertices, region(f"eyes/{side}-eye-scale-incr")) for side in "lr")
    eyes, top = vertices[left, 2], vertices[body, 2].max()
    skull = body[vertices[body, 2] > eyes + 0.4 * (top - eyes)]
    chin = furthest(vertices, region("chin/chin-prominent-incr", 0.5), 1, -1)
    lips = region("mouth/mouth-angles-up", 0.97)
    tip = furthest(vertices, region("nose/nose-scale-depth-incr"), 1, -1)
    nasion = furthest(vertices, region("nose/nose-hump-incr", 0.6), 2, 1)
    base = furthest(vertices, region("nose/nose-scale-vert-incr", 0.9), 2, -1)
    nostrils = extremes("nose width", vertices, region("nose/nose-nostrils-width-incr", 0.97), 0)

    def across(name: str, height: float) -> Distance:
        off = np.abs(vertices[body, 2] - height)
        return extremes(name, vertices, body[off < max(0.006, off.min() + 0.002)], 0)

    return (
        Distance("head height", furthest(vertices, body, 2, 1), chin, 2),
        extremes("head width", vertices, skull, 0),
        extremes("head depth", vertices, skull, 1),
        across("jaw width", vertices[lips, 2].mean()),
        across("neck width", vertices[chin, 2] - 0.015),
        Distance("eye distance", left, right),
        Distance("eye width", int(region("eyes/l-eye-corner1-up", 1)[0]), int(region("eyes/l-eye-corner2-up", 1)[0])),
        Distance("nose length", nasion, base),
        nostrils,
        Distance("nose depth", tip, nostrils.a, 1),
        extremes("mouth width", vertices, lips, 0),
        extremes("chin width", vertices, region("chin/chin-width-incr", 0.9), 0),
        extremes("ear height", vertices, region("ears/l-ear-scale-vert-incr", 0.9), 2),
        extremes("ear span", vertices, np.concatenate([region(f"ears/{side}-ear-wing-incr") for side in "lr"]), 0),
    )


def nearest_middle(vertices: np.ndarray, region: np.ndarray) -> int:
    away = np.linalg.norm(vertices[region] - vertices[region].mean(0), axis=1)
    return int(region[away.argmin()])


def furthest(vertices: np.ndarray, region: np.ndarray, axis: int, sign: int) -> int:
    return int(region[(sign * vertices[region, axis]).argmax()])
