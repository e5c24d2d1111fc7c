"""ICT FaceKit (Li and others 2020, arXiv:2004.00543; MIT): a face, its 100 principal identities and named expressions.

FOLDER/ict_identity.npz      v0 (N, 3) cm, y up, looking along z; faces, faces_uv (F, 4), -1 for no fourth corner;
                             uv (T, 2); identity (I, N, 3) offsets, one standard deviation each; identity_names (I,)
FOLDER/ict_expression.npz    expression (E, N, 3) offsets at full strength; expression_names (E,)
FOLDER/vertex_indices.json   idx_to_landmark_verts: the 68 landmarks of iBUG 300-W
"""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

LANDMARKS = 68


@dataclass(frozen=True, eq=False)
class FaceKit:
    vertices: np.ndarray
    """(N, 3) float32 cm, y up"""
    faces: np.ndarray
    faces_uv: np.ndarray
    uv: np.ndarray
    identity: np.ndarray
    """(I, N, 3) cm"""
    expression: np.ndarray
    """(E, N, 3) cm"""
    expression_names: tuple[str, ...]
    landmarks: np.ndarray
    """(68,) numbers of vertices"""


def read(folder: str | Path) -> FaceKit:
    """Raises ValueError naming the file that is missing, cut short or shaped otherwise."""
    folder = Path(folder)
    names = ("v0", "faces", "faces_uv", "uv", "identity")
    about = arrays(folder / "ict_identity.npz", names)
    moves = arrays(folder / "ict_expression.npz", ("expression", "expression_names"))
    count = len(about["v0"])
    shaped(folder / "ict_identity.npz", about, v0=(count, 3), uv=(None, 2), identity=(None, count, 3))
    shaped(folder / "ict_identity.npz", about, faces=(None, 4), faces_uv=(len(about["faces"]), 4))
    shaped(folder / "ict_expression.npz", moves, expression=(None, count, 3))
    shaped(folder / "ict_expression.npz", moves, expression_names=(len(moves["expression"]),))
    for name, most in (("faces", count), ("faces_uv", len(about["uv"]))):
        if about[name].min(initial=-1) < -1 or about[name].max(initial=0) >= most:
            raise ValueError(f"{folder / 'ict_identity.npz'}: {name} points beyond its {most} entries")
    return FaceKit(
        *(about[name] for name in ("v0", "faces", "faces_uv", "uv", "identity")),
        moves["expression"],
        tuple(str(name) for name in moves["expression_names"]),
        landmarks(folder / "vertex_indices.json", count),
    )


def arrays(path: Path, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            lacking = [name for name in names if name not in stored.files]
            found = {name: stored[name] for name in names if name not in lacking}
    except FileNotFoundError:
        raise ValueError(f"{path} is missing: the folder should be one of ICT FaceKit") from None
    except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        why = str(error).splitlines()[0] if str(error) else "it ends early"
        raise ValueError(f"{path} cannot be read ({why})") from None
    if lacking:
        raise ValueError(f"{path} lacks the array {lacking[0]!r}")
    return found


def shaped(path: Path, found: dict[str, np.ndarray], **shapes: tuple[int | None, ...]) -> None:
    """Each array has its shape, None being any, and only numbers."""
    for name, shape in shapes.items():
        array = found[name]
        if array.ndim != len(shape) or any(n is not None and n != m for n, m in zip(shape, array.shape)):
            wanted = " x ".join("any" if n is None else str(n) for n in shape)
            raise ValueError(f"{path}: {name} is {' x '.join(map(str, array.shape))}, not {wanted}")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"{path}: {name} holds values that are no numbers")


def landmarks(path: Path, count: int) -> np.ndarray:
    try:
        found = np.asarray(json.loads(path.read_text("utf-8"))["idx_to_landmark_verts"], np.int64)
    except FileNotFoundError:
        raise ValueError(f"{path} is missing: the folder should be one of ICT FaceKit") from None
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise ValueError(f"{path} cannot be read ({error})") from None
    if found.shape != (LANDMARKS,) or found.min() < 0 or found.max() >= count:
        raise ValueError(f"{path}: idx_to_landmark_verts should be {LANDMARKS} numbers of vertices below {count}")
    return found
