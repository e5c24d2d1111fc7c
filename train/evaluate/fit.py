"""How well a sampler's shapes are fitted to outlines of held-out designs, whose pictures are made here.

    python -m maquette.train evaluate fit --count 60

Each design is seen from a random side, 5 to 35 degrees from above, 40 degrees wide, its outline taken from its true
field. Beside the fit, its family told and not told, stands its family's mean shape with the best of the cameras that
the search begins with, brought to the outline's bounds.
"""

from __future__ import annotations

import math
import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from ...nets import from_outline
from ...nets.camera import cell_centres
from ...nets.outline import Cameras, silhouettes
from ...nets.solid import about_z, solid_iou
from .held_out_designs import finish, held_out, mean, median, parser, percent, read_sampler, timed

FOV = 40.0
COLUMNS = {
    "outline IoU": mean("outline"),
    "share ≥ .9": percent(lambda row: row["outline"] >= 0.9),
    "solid IoU@64, true side": mean("solid"),
    "right family": percent(lambda row: row.get("right")),
    "seconds, median": median("seconds"),
    "of the processor": median("processor"),
}


def main(argv=None):
    options = parser("fit", __doc__).parse_args(argv)
    model, results, rng = read_sampler(options), [], np.random.default_rng([2, 8])
    for family in model.families:
        from_outline.looks(model, family)  # made once a process; not part of a request's time
    for number, (family, field) in enumerate(tqdm(held_out(model, options.count), desc="Designs", file=sys.stderr)):
        camera = seen_from(field, rng)
        mask = silhouettes(field[None], camera, 128, 192)[0].float()
        about = {"object": number, "family": family.name}
        start = baseline(model, mask, family)
        results.append({"method": "the family's mean shape", **about, **scores(model, field, camera, start)})
        for method, families in (("**fit**, family told", [family]), ("**fit**", model.families)):
            found, seconds, processor = timed(lambda: from_outline.fit(model, mask, families))  # noqa: B023
            right = found.place.family is family
            guess = from_outline.Guesses(
                torch.tensor([found.place.family.index]), found.place.latent[None], found.camera, torch.zeros(1)
            )
            row = {"seconds": seconds, "processor": processor} | scores(model, field, camera, guess)
            results.append({"method": method, **about, **row, "right": right if len(families) > 1 else None})
    finish(options, model, results, COLUMNS)


def seen_from(field: Tensor, rng: np.random.Generator) -> Cameras:
    """One camera whose picture the object fills as far as a crop's."""
    azimuth, elevation = rng.uniform(-math.pi, math.pi), math.radians(rng.uniform(5, 35))
    solid = cell_centres(field.shape[0])[field.flatten() > 0]
    near, numbers = 0.5, torch.tensor([azimuth, elevation])
    for _ in range(4):  # the nearer, the larger; both at once have no closed form
        camera = Cameras(numbers[:1], numbers[1:], torch.ones(1), torch.zeros(1, 2), torch.tensor([near]))
        uv = camera.project(solid)
        low, high = uv.amin(1), uv.amax(1)
        scale = 2 * from_outline.FILLED / (high - low).amax(1)
        near = float(scale) * math.tan(math.radians(FOV / 2))
    return Cameras(numbers[:1], numbers[1:], scale, -scale[:, None] * (low + high) / 2, camera.near)


def baseline(model, mask: Tensor, family) -> from_outline.Guesses:
    """The mean shape, the first of the examples, from the side of all compared whose outline is most like the mask."""
    known = from_outline.looks(model, family)
    small = F.adaptive_avg_pool2d(mask[None, None], from_outline.SMALL).flatten()
    seen = known.outlines[0]
    alike = torch.minimum(seen, small).sum(-1) / torch.maximum(seen, small).sum(-1)
    e, a = (int(i) for i in torch.unravel_index(alike.argmax(), alike.shape))
    side = (torch.tensor([a * 2 * math.pi / from_outline.SIDES]), torch.tensor([from_outline.ELEVATIONS[e]]))
    camera = Cameras(*side, known.scale[0, e, a][None], known.shift[0, e, a][None], known.near[:1])
    latent = model.latents.at(family.index).mean[None]
    return from_outline.Guesses(torch.tensor([family.index]), latent, camera, torch.zeros(1))


@torch.inference_mode()
def scores(model, field: Tensor, camera: Cameras, guess: from_outline.Guesses) -> dict:
    """Outline IoU against the true field's, and IoU of solids seen from the same side: longest side 1, centred."""
    mask = silhouettes(field[None], camera, 128, 192)[0].float()
    found = model.network.decode(guess.latent, guess.family)[0].float()
    turn = guess.cameras.azimuth - camera.azimuth
    solid = solid_iou(upright(found, -turn)[None], upright(field, torch.zeros(1))[None])
    return {"outline": float(from_outline.judged(model, mask, guess).iou), "solid": float(solid)}


def upright(field: Tensor, turn: Tensor, resolution: int = 64) -> Tensor:
    """(N, N, N) bool: the solid turned about z by turn (1,) radians, its bounds centred, longest side 1."""
    points = cell_centres(field.shape[0])
    solid = points[field.flatten() > 0]
    if not len(solid):
        return torch.zeros((resolution,) * 3, dtype=torch.bool)
    turned = about_z(solid, turn)[0]
    half = 0.5 / field.shape[0]
    low, high = turned.amin(0) - half, turned.amax(0) + half
    places = cell_centres(resolution) * (high - low).max() + (low + high) / 2
    back = about_z(places, -turn)
    value = F.grid_sample(field[None, None], (2 * back).flip(-1)[:, :, None, None], align_corners=False)
    return ((value.flatten() > 0) & (back[0].abs().amax(-1) < 0.5)).reshape((resolution,) * 3)
