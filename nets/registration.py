"""Cameras of several pictures of one object, brought to agree with each other's outlines.

Each picture's camera is first judged from that picture alone. What all masks together leave of space is their visual
hull (Laurentini 1994); with true cameras it covers every mask, with wrong ones some of them lack cells. So the cameras
are moved until the hull covers all masks, at a cost for leaving what was judged (Hernandez et al. 2007, "Silhouette
coherence for camera calibration under circular motion").
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from . import turns
from .camera import cell_centres, project, unproject
from .several_views import fitted

DEVIATIONS = (0.105, 0.08, 0.06, 0.04, 0.04), (0.05, 0.03, 0.03, 0.03)
"""Of a camera's numbers as they are judged, and of a fit's scale (its logarithm) and shift"""
DOUBT = 0.005
"""Cost of one squared deviation, in shares of a mask that are not covered"""
STEPS, RATE = 40, 0.3
SMALL = 1e-4
"""Slope that counts as none: what the masks say nothing of does not drift with rounding, whatever the order of views"""
RAYS, SAMPLES = 24, 24
"""Rays along each side of a picture, and places on each ray"""
REACH = 0.78
"""How far before and behind a cube's middle rays are looked at"""
PLACES = 32
"""Places along each side of a cube at which the hull of true cameras is looked for"""
WANTED = 0.5
"""Share of a pixel that shows the object where it is sure that a ray through it meets it"""
SEEN = 0.1
"""Least share of a ray's pixel that shows the object"""
STILL = (0.0, 1.0, 0.0, 0.0, 0.0)
"""The first view's own fit"""


def registered(cameras: Tensor, fits: Tensor, alphas: Tensor, told: list) -> tuple[Tensor, Tensor]:
    """cameras (V, 5) and fits (V, 5) of views, moved until the hull of alphas (V, 1, H, W) covers each of them.

    told: of each view, whether its elevation and its scale were told; they stay, as turns do. The first view's fit is
    STILL.
    """
    with torch.inference_mode(False), torch.enable_grad():
        cameras, fits, masks = (one.detach().clone().float() for one in (cameras, fits, alphas))
        masks = F.avg_pool2d(F.adaptive_avg_pool2d(masks, 2 * RAYS), 3, 1, 1)
        uv, wanted = rays(F.adaptive_avg_pool2d(masks, RAYS))
        own, lie = (torch.tensor(values, device=cameras.device).repeat(len(cameras), 1) for values in DEVIATIONS)
        own[:, :2][torch.tensor(told)] = 0
        lie[0] = 0
        moved = [torch.zeros_like(own, requires_grad=True), torch.zeros_like(lie, requires_grad=True)]
        rule = torch.optim.Adam(moved, lr=RATE, eps=SMALL)
        for _ in range(STEPS):
            at, fit = cameras + own * moved[0], refitted(fits, lie * moved[1])
            lacking = (wanted - covered(uv, at, fit, masks)).clamp_min(0)
            cost = (lacking.sum(1) / wanted.sum(1).clamp_min(1e-6)).mean()
            doubt = sum(values.square().sum() for values in moved) / len(cameras)
            rule.zero_grad()
            (cost + DOUBT * doubt).backward()
            rule.step()
        return (cameras + own * moved[0]).detach(), refitted(fits, lie * moved[1]).detach()


def refitted(fits: Tensor, by: Tensor) -> Tensor:
    """fits (V, 5) with their scale (in logarithms) and shift moved by (V, 4)."""
    return torch.cat([fits[:, :1], fits[:, 1:2] * by[:, :1].exp(), fits[:, 2:] + by[:, 1:]], 1)


def rays(masks: Tensor) -> tuple[Tensor, Tensor]:
    """masks (V, 1, N, N) -> middles (V, K, 2) in [-1, 1] of the pixels that show something, and how much (V, K).

    K is that of the view with most; others are filled up with the picture's middle, as showing nothing."""
    size = masks.shape[-1]
    shown = [(mask[0] > SEEN).nonzero() for mask in masks]
    most = max(1, *map(len, shown))
    uv, wanted = masks.new_zeros(len(masks), most, 2), masks.new_zeros(len(masks), most)
    for i, pixel in enumerate(shown):
        uv[i, : len(pixel)] = (pixel.flip(1) + 0.5) * (2 / size) - 1
        wanted[i, : len(pixel)] = masks[i, 0, pixel[:, 0], pixel[:, 1]]
    return uv, wanted


def covered(uv: Tensor, cameras: Tensor, fits: Tensor, masks: Tensor) -> Tensor:
    """How far the hull of masks (V, 1, N, N) covers the views' pixels uv (V, K, 2): (V, K) in [0, 1]."""
    depth = (torch.arange(SAMPLES, device=uv.device) + 0.5) * (2 * REACH / SAMPLES) - REACH
    views, count = uv.shape[:2]
    places = unproject(uv[:, :, None], depth, cameras).flatten(1, 2)  # of each view's own cube
    places = fitted(places, turns.inverse(fits)).reshape(1, -1, 3).expand(views, -1, -1)
    seen = project(fitted(places, fits), cameras)[0]
    hull = F.grid_sample(masks, seen[:, :, None], align_corners=False)[:, 0, :, 0].amin(0)
    return hull.reshape(views, count, SAMPLES).amax(-1)


def wanted(cameras: Tensor, fits: Tensor, alphas: Tensor) -> Tensor:
    """What of the first view's cube a shape must reach to be seen where all masks show it: lowest and highest (2, 3).

    cameras (V, 5) and fits (V, 5) are true, and the cube holds the shape; alphas (V, 1, H, W). Each pixel of a mask
    wants one of the places of the visual hull that it shows, so the shape reaches at least as high as the lowest of
    these. Empty, above below, where masks and cameras agree on nothing.
    """
    points = cell_centres(PLACES, alphas.device)
    uv = project(fitted(points, fits), cameras)[0]
    masks = F.adaptive_avg_pool2d(alphas.float(), RAYS)
    shown = F.grid_sample(masks, uv[:, :, None], align_corners=False)[:, 0, :, 0]
    hull = (shown > SEEN).all(0) & (uv.abs() < 1).all(-1).all(0)
    points, pixel = points[hull], ((uv[:, hull] + 1) / 2 * RAYS).long().clamp(0, RAYS - 1)
    least, most = points.new_full((3,), 1.0), points.new_full((3,), -1.0)
    for view, mask in zip(pixel, masks):
        ray = (view[:, 1] * RAYS + view[:, 0])[:, None].expand(-1, 3)
        low = points.new_full((RAYS * RAYS, 3), 1.0).scatter_reduce(0, ray, points, "amin")
        high = points.new_full((RAYS * RAYS, 3), -1.0).scatter_reduce(0, ray, points, "amax")
        met = (low[:, 0] <= high[:, 0]) & (mask.flatten() > WANTED)
        if met.any():
            least, most = torch.minimum(least, high[met].amin(0)), torch.maximum(most, low[met].amax(0))
    return torch.stack([least, most])


def centred(
    cameras: Tensor, fits: Tensor, inside: Tensor, least: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """cameras (V, 5) and fits (V, 5) for cubes that the shape fills: in each view it is centred, its longest side 1;
    and where the first cube now lies in the one before: shift x, y, z and scale (4,).

    inside (N, N, N) bool: the shape in the first view's cube as it was. Where it is empty, nothing changes.
    least (2, 3): what of that cube the new one holds besides.
    """
    cells = len(inside)
    points = cell_centres(cells, cameras.device)[inside.flatten()]
    if not len(points):
        return cameras, fits, cameras.new_tensor([0.0, 0, 0, 1])
    own = fitted(points, fits)
    low, high = own.amin(1), own.amax(1)
    if least is not None:
        low[0], high[0] = torch.minimum(low[0], least[0]), torch.maximum(high[0], least[1])
    middle, side = (low + high) / 2, (high - low).amax(1) + fits[:, 1] / cells
    return *moved(cameras, fits, middle, side), torch.cat([middle[0], side[:1]])


def moved(cameras: Tensor, fits: Tensor, middle: Tensor, side: Tensor) -> tuple[Tensor, Tensor]:
    """cameras (V, 5) and fits (V, 5) for other cubes, whose places p' were middle + side p' in each view's old one.

    middle (V, 3), side (V,). A camera is taken to look straight at its cube's middle, as all do; where the middle moves
    far, that is not so.
    """
    # A place p of the first cube was middle + side p' there, and so it is in every other
    start = fitted(middle[:1], fits)[:, 0]
    scale = fits[:, 1] * side[0] / side
    shift = (start - middle) / side[:, None]
    seen, depth = (one[:, 0] for one in project(middle[:, None], cameras))
    nearer = 1 + cameras[:, 2] * depth
    new = [cameras[:, 0], cameras[:, 1] + (side / nearer).log(), cameras[:, 2] * side / nearer, seen[:, 0], seen[:, 1]]
    return torch.stack(new, 1), torch.cat([fits[:, :1], scale[:, None], shift], 1)


def crossing(cameras: Tensor, fits: Tensor, uv: Tensor) -> Tensor:
    """The place (3,) of the first cube nearest to the lines of sight through uv (V, 2) of the views, V >= 2."""
    ends = torch.stack([unproject(uv, uv.new_tensor(depth), cameras) for depth in (-REACH, REACH)], 1)
    ends = fitted(ends, turns.inverse(fits))
    way = F.normalize(ends[:, 1] - ends[:, 0], dim=1)
    across = torch.eye(3, device=uv.device) - way[:, :, None] * way[:, None]
    return torch.linalg.lstsq(across.sum(0), (across @ ends[:, 0, :, None]).sum(0)).solution[:, 0]
