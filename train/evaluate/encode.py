"""How well a sampler's shapes are found for meshes of held-out designs.

    python -m maquette.train evaluate encode --count 60

Each design's surface is turned by a random multiple of 90 degrees and scaled by .25 to 4, so that its metres say
nothing, and found again with its family told and not told. Beside it stand the family's mean shape, scaled to the mesh
and in its true turn, and the most that encoder and decoder reach where nothing has to be searched for.
"""

from __future__ import annotations

import math
import sys

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ...geometry.distance import signed_distance
from ...geometry.field import Field
from ...geometry.frames import UNIT_CUBE, unit
from ...geometry.isosurface import mesh_from_field
from ...geometry.mesh import Mesh
from ...nets import inverse
from ...nets.examples import examples
from ...nets.solid import Solid, solid_iou
from .fit import upright
from .held_out_designs import finish, held_out, mean, median, parser, percent, read_sampler, timed

COLUMNS = {
    "IoU@64 of solids": mean("iou"),
    "share ≥ .7": percent(lambda row: row["iou"] >= 0.7),
    "right family": percent(lambda row: row.get("right")),
    "seconds, median": median("seconds"),
    "of the processor": median("processor"),
}
NOWHERE = torch.zeros(1)


def main(argv=None):
    options = parser("encode", __doc__).parse_args(argv)
    model, results, rng = read_sampler(options), [], np.random.default_rng([2, 9])
    for family in model.families:
        examples(model, family)  # made once a process; not part of a request's time
    for number, (family, field) in enumerate(tqdm(held_out(model, options.count), desc="Designs", file=sys.stderr)):
        about = {"object": number, "family": family.name}
        turn, factor = int(rng.integers(4)) * 90, float(2 ** rng.uniform(-2, 2))
        results.append({"method": "the family's mean shape", **about, "iou": mean_shape(model, family, field)})
        results.append({"method": "encoder alone, nothing searched", **about, "iou": copied(model, family, field)})
        mesh = as_mesh(field, family.side * factor, turn)
        for method, families in (("**encode**, family told", [family]), ("**encode**", model.families)):
            found, seconds, processor = timed(lambda: search(model, mesh, families))  # noqa: B023
            row = {"iou": found.iou, "seconds": seconds, "processor": processor}
            row["right"] = found.place.family is family if len(families) > 1 else None
            results.append({"method": method, **about, **row})
    finish(options, model, results, COLUMNS)


def as_mesh(field: Tensor, side: float, turn: float) -> Mesh:
    """The true surface in metres, turned by degrees about z."""
    mesh = mesh_from_field(Field(field.numpy(), 0.0, UNIT_CUBE), smoothing=0, islands=True)
    c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    return Mesh(mesh.vertices.astype(np.float64) @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) * side, mesh.faces)


def search(model, mesh: Mesh, families) -> inverse.Found:
    """As jobs.encode does, the filling of the mesh included."""
    values = signed_distance(Mesh(unit(mesh.vertices), mesh.faces))
    solid = Solid(torch.from_numpy(values).to(model.where), float(np.ptp(mesh.vertices, axis=0).max()))
    return inverse.find(model, solid, families)


@torch.inference_mode()
def copied(model, family, field: Tensor) -> float:
    index = torch.tensor([family.index], device=model.where)
    field = field[None].to(model.where)
    decoded = model.network.decode(model.network.encode(field, index)[0], index)
    return float(solid_iou(decoded > 0, field > 0))


@torch.inference_mode()
def mean_shape(model, family, field: Tensor) -> float:
    """Both with longest side 1 and centred bounds."""
    index = torch.tensor([family.index], device=model.where)
    decoded = model.network.decode(model.latents.at(family.index).mean[None].to(model.where), index)[0].float().cpu()
    return float(solid_iou(upright(decoded, NOWHERE)[None], upright(field, NOWHERE)[None]))
