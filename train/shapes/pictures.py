"""A whole batch of samples on one device: the world of `world.sample`, traced by `batched` (for GPUs)."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from . import batched, texture
from . import program as P
from .camera import draw_setting
from .fast import BOUNCED
from .program import bounds, posed
from .skies import Skies
from .world import FINE, MARGIN, PICTURE, SPLITS, TRUNCATION, draw_shapes


def sample_batch(seed: int, count: int, split: str, device, families=None, skies: Skies | None = None) -> dict[str, Tensor]:
    """As `world.sample` draws them, on `device`: picture (N, 128, 128, 4) uint8, distance (N, 64, 64, 64) int8,

    colour (N, 32, 32, 32, 3) uint8, camera (N, 5), family (N,). Objects that cannot be seen are left out, so N <= count;
    sides that a cut took away are not refilled.
    """
    rng = np.random.default_rng([SPLITS[split], seed])
    shapes, family = draw_shapes(rng, count, families)
    posed_table, _ = posed(shapes.table, rng.uniform(0, 2 * np.pi, count))
    setting = draw_setting(rng, bounds(posed_table, np.zeros(count)), skies)
    def put(array):
        return torch.from_numpy(np.ascontiguousarray(array, np.float32)).to(device)
    table, camera, light, sky, floor = put(posed_table), put(setting.camera), put(setting.light), put(setting.sky), put(setting.floor)
    fine = batched.field(table, FINE)
    coarse = F.avg_pool3d(fine[:, None], 2)[:, 0]
    box = silhouette_box(fine, table, camera)
    side = (box[:, 2:] - box[:, :2]).amax(1)
    jitter = put(rng.normal(0, .02, (count, 3)))
    seen = side > .02
    side = side.clamp_min(.02) / (1 - 2 * MARGIN) * (1 + jitter[:, 2])
    centre = (box[:, :2] + box[:, 2:]) / 2 + jitter[:, :2] * side[:, None]
    rgba = picture(fine, table, camera, centre, side, light, sky, floor)
    keep = seen & ((fine < 0).float().mean((1, 2, 3)) > 1e-4) & (rgba[..., 3].sum((1, 2)) > 40)
    d = put(setting.distance)
    numbers = torch.stack([put(setting.elevation), 2 / side / d, d, -centre[:, 0] * 2 / side, -centre[:, 1] * 2 / side], 1)
    packed = (fine * (127 / TRUNCATION)).round().clamp(-127, 127).to(torch.int8)
    out = {"picture": (rgba * 255 + .5).to(torch.uint8), "distance": packed, "colour": (colours(table, coarse) * 255 + .5).to(torch.uint8),
           "camera": numbers, "family": torch.from_numpy(family).to(device)}
    return {name: value[keep] for name, value in out.items()}


def silhouette_box(grid: Tensor, table: Tensor, camera: Tensor, pixels: int = 48) -> Tensor:
    """left, top, right, bottom (B, 4) of the object in tangents, from a coarse picture."""
    at = ((torch.arange(pixels, device=grid.device) + .5) / pixels * 2 - 1)
    v, u = torch.meshgrid(at, at, indexing="ij")
    uv = torch.stack([u, v], -1).reshape(1, -1, 2) * camera[:, 7, None, None]
    _, hit = batched.trace(grid, table, camera[:, None, :3], batched.rays(camera, uv), camera[:, 5:6], camera[:, 6:7])
    half = camera[:, 7, None] / pixels
    low = torch.where(hit[..., None], uv, torch.full_like(uv, 9)).amin(1) - half
    high = torch.where(hit[..., None], uv, torch.full_like(uv, -9)).amax(1) + half
    return torch.cat([low, high], 1)


def picture(grid, table, camera, centre, side, light, sky, floor, size: int = PICTURE) -> Tensor:
    """Pictures (B, size, size, 4) sRGB over a floor and a wall, alpha = coverage; crop's centre (B, 2) and side (B,) in tangents."""
    at = (torch.arange(size, device=grid.device) + .5) / size - .5
    v, u = torch.meshgrid(at, at, indexing="ij")
    uv = centre[:, None] + torch.stack([u, v], -1).reshape(1, -1, 2) * side[:, None, None]
    way, origin = batched.rays(camera, uv), camera[:, None, :3]
    t, hit = batched.trace(grid, table, origin, way, camera[:, 5:6], camera[:, 6:7])
    fall = (floor[:, None, 0] - origin[..., 2]) / torch.where(way[..., 2] < -1e-3, way[..., 2], torch.full_like(t, -1e-3))
    ground = ~hit & (way[..., 2] < -1e-3) & (fall > 0) & (fall < 9)
    points = origin + torch.where(hit, t, fall.clamp(0, 9))[..., None] * way
    normal = torch.where(hit[..., None], batched.normals(table, points), points.new_tensor([0., 0, 1]))
    base, gloss, metal = albedo(table, batched.distance(table, points)[1], points)
    mix = texture.mix(floor[:, None, 7].expand_as(t), floor[:, None, 8].expand_as(t), torch.cat([points[..., :2], torch.full_like(t, .37)[..., None]], -1))
    plain = torch.lerp(floor[:, None, 1:4], floor[:, None, 4:7], mix[..., None])
    base, gloss, metal = torch.where(hit[..., None], base, plain), gloss * hit, metal * hit
    colour = shade(grid, points, normal, way, base, gloss, metal, light, sky)
    wall = floor[:, None, 9:12] * (.8 + .3 * uv[..., 1:]) * light[:, None, 12:]
    colour = torch.where((hit | ground)[..., None], colour, wall)
    return torch.cat([srgb(colour), hit[..., None].float()], -1).reshape(len(grid), size, size, 4)


def shade(grid, points, normal, way, base, gloss, metal, light, sky) -> Tensor:
    """Linear colour (B, R, 3) under a lamp with soft shadow, sky and ground light with occlusion, or lobes of a sky."""
    lamp = light[:, None, :3]
    lambert = (normal * lamp).sum(-1).clamp_min(0)
    lit = lambert > 0
    lambert = lambert * batched.shadow(grid, points + normal * .01, lamp)
    upward = .5 + .5 * normal[..., 2:]
    half = F.normalize(lamp - way, dim=-1)
    shine = (normal * half).sum(-1).clamp_min(0) ** (8 + 120 * gloss) * gloss * (lit & (lambert > 0))
    ambient = torch.lerp(light[:, None, 9:12], light[:, None, 6:9], upward) * batched.occlusion(grid, points, normal)[..., None]
    value = base * (ambient + light[:, None, 3:6] * lambert[..., None]) + shine[..., None] * light[:, None, 3:6] * .7
    if sky.any():
        value = value + skylight(grid, points, normal, way, base, gloss, metal, sky)
    return value * light[:, None, 12:]


def skylight(grid, points, normal, way, base, gloss, metal, sky) -> Tensor:
    """`fast.skylight` of the lobes sky (B, L, 7): colour (B, R, 3)."""
    facing = -(normal * way).sum(-1, keepdim=True).clamp(-1, 0)
    mirror, polish = way + 2 * facing * normal, 2 + 90 * gloss * gloss
    bare, gloss = metal[..., None], gloss[..., None]
    fresnel = base * bare + (1 - bare) * .08 * gloss
    fresnel = fresnel + (torch.maximum(gloss, bare) - fresnel) * (1 - facing) ** 5 * gloss
    value = torch.zeros_like(base)
    for row in sky.unbind(1):
        lobe, colour, sharp = row[:, None, :3], row[:, None, 3:6], row[:, 6:7].clamp_min(1)
        towards = (((normal * lobe).sum(-1) + 1 / sharp) / (1 + 1 / sharp)).clamp_min(0)
        both = polish * sharp / (polish + sharp)
        mirrored = .5 * both * (both * ((mirror * lobe).sum(-1) - 1)).exp()
        seen = batched.softly(grid, points + normal * .01, lobe, sharp)
        reaches = seen[..., None] + (1 - seen[..., None]) * BOUNCED * base
        value = value + colour * (base * (1 - bare) * towards[..., None] * reaches + fresnel * (mirrored * seen)[..., None])
    return value


def albedo(table: Tensor, part: Tensor, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Linear base colours (B, N, 3), gloss and metal (B, N) of parts (B, N) at points (B, N, 3)."""
    row = table.gather(1, part[..., None].expand(-1, -1, P.WIDTH))
    mix = texture.mix(row[..., P.TEXTURE], row[..., P.TEXTURE_SCALE], points)
    return torch.lerp(row[..., P.COLOUR], row[..., P.COLOUR2], mix[..., None]), row[..., P.GLOSS], row[..., P.METAL]


def colours(table: Tensor, coarse: Tensor) -> Tensor:
    """sRGB (B, N, N, N, 3) of the cells within two cells of the surface, else 0."""
    n = coarse.shape[-1]
    points = batched.cell_centres(n, table.device).expand(len(table), -1, -1)
    base, _, _ = albedo(table, batched.distance(table, points)[1], points)
    near = (coarse.flatten(1).abs() < 2 / n)[..., None]
    return (srgb(base) * near).reshape(len(table), n, n, n, 3)


def srgb(linear: Tensor) -> Tensor:
    x = linear.clamp(0, 1)
    return torch.where(x <= .0031308, 12.92 * x, 1.055 * x.clamp_min(1e-6) ** (1 / 2.4) - .055)
