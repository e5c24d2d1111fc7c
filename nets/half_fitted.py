"""A fitting that goes on another time: one safetensors file, with what is no tensor as JSON in its header."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as as_bytes

from ..geometry.atomic import replacing
from ..geometry.hull import Similarity
from ..geometry.wall import Plane
from .exposure import Exposure
from .fit_stage import Fitted, Stage
from .radiance_field import FIELDS
from .surroundings import Surroundings
from .voxel_grid import VoxelGrid

FORMAT = "maquette capture 1"
HALVED = ("around.table", "field.colour")
"""Stored with half the bits: a step moves them by more than what is lost."""


def save(path, fitted: Fitted, of: dict) -> None:
    """Write a Fitted, and what it is `of` in plain JSON, whole or not at all. ValueError with a sentence."""
    tensors = {f"field.{name}": value for name, value in fitted.field.state_dict().items()}
    tensors |= {"active": fitted.field.grid.active, "volume": fitted.volume}
    if fitted.around is not None:
        tensors |= {f"around.{name}": value for name, value in fitted.around.state_dict().items()}
    if fitted.exposure is not None:
        tensors["exposure.log"] = fitted.exposure.log
    if fitted.depths:
        tensors["depths.values"] = torch.cat([depth.flatten() for depth in fitted.depths]).nan_to_num(0.0)
        tensors["depths.sizes"] = torch.tensor([depth.shape for depth in fitted.depths])
    tensors = {name: (t.half() if name in HALVED else t).cpu().contiguous() for name, t in tensors.items()}
    told = {"format": FORMAT, "of": of, "steps": fitted.steps, "stage": dataclasses.asdict(fitted.stage)}
    told |= {"method": fitted.field.METHOD, "smooth": fitted.smooth}
    told |= {"similarity": dataclasses.asdict(fitted.similarity), "log": fitted.log[-1:]}
    told |= {"plane": dataclasses.asdict(fitted.plane)} if fitted.plane else {}
    with replacing(path) as file:
        file.write(as_bytes(tensors, {"maquette": json.dumps(told)}))


def kept_of(path) -> dict:
    """What a file that `save` wrote says it is of; {} where nothing can be read."""
    try:
        with safe_open(path, "pt") as file:
            of = json.loads(file.metadata()["maquette"])["of"]
    except (SafetensorError, ValueError, OSError, TypeError, KeyError):
        return {}
    return of if isinstance(of, dict) else {}


def load(path, of: dict, device="cpu") -> Fitted:
    """What `save` wrote, on a device. ValueError with a sentence where it is missing, damaged, or of something else."""
    again = "capture without Resume to begin anew"
    try:
        with safe_open(path, "pt") as file:
            told = json.loads((file.metadata() or {}).get("maquette", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except FileNotFoundError:
        raise ValueError(f"There is nothing to resume: no capture of these photos was stopped; {again}") from None
    except (SafetensorError, ValueError, OSError):
        raise ValueError(f"What the stopped capture left is damaged on disk; {again}") from None
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise ValueError(f"What the stopped capture left is of another version of Maquette; {again}")
    if told.get("of") != of:
        raise ValueError(f"The photos are not those of the stopped capture: some were changed; {again}")
    try:
        tensors = {name: (t.float() if t.dtype == torch.half else t).to(device) for name, t in tensors.items()}
        return fitted_from(told, tensors)
    except (KeyError, TypeError, RuntimeError, IndexError) as error:
        raise ValueError(f"What the stopped capture left is damaged on disk; {again}") from error


def fitted_from(told: dict, tensors: dict) -> Fitted:
    grid = VoxelGrid(tensors["active"])
    field = FIELDS[told.get("method", "surface")](grid, tensors["volume"].new_zeros(len(grid)))
    field.load_state_dict(part(tensors, "field."))
    around = None
    if "around.table" in tensors:
        around = Surroundings(tensors["around.table"].shape[-1]).to(grid.active.device)
        around.load_state_dict(part(tensors, "around."))
    exposure = None
    if "exposure.log" in tensors:
        exposure = Exposure(len(tensors["exposure.log"])).to(grid.active.device)
        exposure.load_state_dict(part(tensors, "exposure."))
    plane = told.get("plane")
    plane = Plane(tuple(plane["normal"]), plane["offset"]) if plane else None
    stage = Stage(**told["stage"] | {"sharp": tuple(told["stage"]["sharp"])})
    box = Similarity(tuple(told["similarity"]["centre"]), told["similarity"]["side"])
    volume = tensors["volume"]
    if volume.shape != (stage.resolution + 1,) * 3 or grid.resolution != stage.resolution:
        raise RuntimeError("sizes disagree")
    if not all(bool(torch.isfinite(t).all()) for t in tensors.values()) or not np.isfinite(box.side):
        raise RuntimeError("not a number")
    smooth, depths = float(told.get("smooth", 1.0)), depths_from(tensors)
    return Fitted(field, volume, box, stage, told["steps"], list(told["log"]), around, exposure, plane, smooth, depths)


def depths_from(tensors: dict) -> list[torch.Tensor] | None:
    """As `Fitted` has them; 0 was stored where nobody is sure. None in files of captures that looked for none."""
    if "depths.values" not in tensors:
        return None
    sizes, values = tensors["depths.sizes"].tolist(), tensors["depths.values"]
    values = torch.where(values > 0, values, torch.nan)
    return [one.reshape(size) for one, size in zip(values.split([h * w for h, w in sizes]), sizes, strict=True)]


def part(tensors: dict, prefix: str) -> dict:
    return {name[len(prefix) :]: t for name, t in tensors.items() if name.startswith(prefix)}
