"""The parts' distances and the sphere tracer, compiled for the CPU (numba): one object at a time, no temporaries.

`batched.py` has the same for torch on any device; a test holds the two together. All that calls one another is in this
one file: numba keeps what it compiled by the file of each function, and would go on with an old callee of another file.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from . import program as P

_CENTRE, _ROTATION, _PARAMS = P.CENTRE.start, P.ROTATION.start, P.PARAMS.start
_COLOUR, _COLOUR2 = P.COLOUR.start, P.COLOUR2.start
KIND, OP, BLEND, INFLATE, RADIUS = P.KIND, P.OP, P.BLEND, P.INFLATE, P.RADIUS
TEXTURE, TEXTURE_SCALE, GLOSS, METAL = P.TEXTURE, P.TEXTURE_SCALE, P.GLOSS, P.METAL
BOUNCED = 0.3
"""Of the light that something keeps from a place, what reaches it all the same, thrown back once"""
EMPTY, BOX, CONE, ELLIPSOID, ARC, CAPSULE, LATHE = P.EMPTY, P.BOX, P.CONE, P.ELLIPSOID, P.ARC, P.CAPSULE, P.LATHE
UNION, CUT = P.UNION, P.CUT
COMPILE = {"cache": True, "fastmath": True, "inline": "never"}


@njit(**COMPILE)
def _box(a, x, y, z):
    r = a[3]
    qx, qy, qz = abs(x) - a[0] + r, abs(y) - a[1] + r, abs(z) - a[2] + r
    mx, my, mz = max(qx, 0.0), max(qy, 0.0), max(qz, 0.0)
    return math.sqrt(mx * mx + my * my + mz * mz) + min(max(qx, max(qy, qz)), 0.0) - r


@njit(**COMPILE)
def _cone(a, x, y, z):
    bevel = a[3]
    h, r1, r2 = a[0] - bevel, max(a[1] - bevel, 0.0), max(a[2] - bevel, 0.0)
    q = math.sqrt(x * x + y * y)
    cax = q - min(q, r1 if z < 0.0 else r2)
    cay = abs(z) - h
    k2x, k2y = r2 - r1, 2.0 * h
    t = ((r2 - q) * k2x + (h - z) * k2y) / max(k2x * k2x + k2y * k2y, 1e-12)
    t = min(max(t, 0.0), 1.0)
    cbx, cby = q - r2 + k2x * t, z - h + k2y * t
    s = -1.0 if (cbx < 0.0 and cay < 0.0) else 1.0
    return s * math.sqrt(min(cax * cax + cay * cay, cbx * cbx + cby * cby)) - bevel


@njit(**COMPILE)
def _ellipsoid(a, x, y, z):
    u, v, w = x / a[0], y / a[1], z / a[2]
    k0 = math.sqrt(u * u + v * v + w * w)
    u, v, w = u / a[0], v / a[1], w / a[2]
    k1 = math.sqrt(u * u + v * v + w * w)
    if k1 < 1e-9:
        return -min(a[0], min(a[1], a[2]))
    return k0 * (k0 - 1.0) / k1


@njit(**COMPILE)
def _arc(a, x, y, z):
    x = abs(x)
    if a[3] * x > a[2] * y:
        k = x * a[2] + y * a[3]
    else:
        k = math.sqrt(x * x + y * y)
    return math.sqrt(max(x * x + y * y + z * z + a[0] * a[0] - 2.0 * a[0] * k, 0.0)) - a[1]


@njit(**COMPILE)
def _capsule(a, x, y, z):
    h, r1, r2 = 2.0 * a[0], a[1], a[2]
    z = z + a[0]
    q = math.sqrt(x * x + y * y)
    b = (r1 - r2) / max(h, 1e-9)
    if abs(b) >= 1.0:
        big = a[0] * (1.0 if r2 > r1 else -1.0)
        return math.sqrt(q * q + (z - a[0] - big) ** 2) - max(r1, r2)
    s = math.sqrt(1.0 - b * b)
    k = -b * q + s * z
    if k < 0.0:
        return math.sqrt(q * q + z * z) - r1
    if k > s * h:
        return math.sqrt(q * q + (z - h) * (z - h)) - r2
    return q * s + z * b - r1


@njit(**COMPILE)
def _polygon(a, x, y, count, lathe):
    """Signed distance to the closed polygon of 8 points; a lathe's outline closes along the axis."""
    best, inside = 1e18, False
    px, py = (0.0, a[15]) if lathe else (a[14], a[15])
    for i in range(count):
        if i < 8:
            qx, qy = a[2 * i], a[2 * i + 1]
        else:
            qx, qy = 0.0, a[15]
        if lathe and i == 0:
            px, py = 0.0, a[1]
        ex, ey = qx - px, qy - py
        wx, wy = x - px, y - py
        t = min(max((wx * ex + wy * ey) / max(ex * ex + ey * ey, 1e-18), 0.0), 1.0)
        dx, dy = wx - ex * t, wy - ey * t
        best = min(best, dx * dx + dy * dy)
        if (py > y) != (qy > y) and x < px + ex * (y - py) / (qy - py):
            inside = not inside
        px, py = qx, qy
    d = math.sqrt(best)
    return -d if inside else d


@njit(**COMPILE)
def _prism(a, x, y, z):
    bevel = a[17]
    d = _polygon(a, x, y, 8, False) + bevel
    w = abs(z) - a[16] + bevel
    md, mw = max(d, 0.0), max(w, 0.0)
    return min(max(d, w), 0.0) + math.sqrt(md * md + mw * mw) - bevel


@njit(**COMPILE)
def part_distance(row, x, y, z):
    """Signed distance from a point to one part."""
    x, y, z = x - row[_CENTRE], y - row[_CENTRE + 1], z - row[_CENTRE + 2]
    m = row[_ROTATION:_ROTATION + 9]
    u = m[0] * x + m[1] * y + m[2] * z
    v = m[3] * x + m[4] * y + m[5] * z
    w = m[6] * x + m[7] * y + m[8] * z
    a = row[_PARAMS:]
    kind = int(row[KIND])
    if kind == BOX:
        d = _box(a, u, v, w)
    elif kind == CONE:
        d = _cone(a, u, v, w)
    elif kind == ELLIPSOID:
        d = _ellipsoid(a, u, v, w)
    elif kind == ARC:
        d = _arc(a, u, v, w)
    elif kind == CAPSULE:
        d = _capsule(a, u, v, w)
    elif kind == LATHE:
        d = _polygon(a, math.sqrt(u * u + v * v), w, 9, True)
    else:
        d = _prism(a, u, v, w)
    return d - row[INFLATE]


@njit(**COMPILE)
def distance(table, used, x, y, z):
    """Signed distance (inside < 0) from a point to the object, and the index of the part that is nearest there."""
    best, part = 1e9, 0
    for i in range(used):
        row = table[i]
        op, k = int(row[OP]), row[BLEND]
        if op == UNION or op == CUT:  # parts whose bounding sphere is too far to matter
            dx, dy, dz = x - row[_CENTRE], y - row[_CENTRE + 1], z - row[_CENTRE + 2]
            reach = math.sqrt(dx * dx + dy * dy + dz * dz) - row[RADIUS]
            if op == UNION and reach - k > best:
                continue
            if op == CUT and -(reach - k) < best:
                continue
        d = part_distance(row, x, y, z)
        if op == UNION:
            if d < best:
                part = i
            blend = max(k - abs(best - d), 0.0)
            best = min(best, d) - (blend * blend * 0.25 / k if k > 0.0 else 0.0)
        else:
            if op == CUT:
                d = -d
            if d > best:
                part = i
            blend = max(k - abs(best - d), 0.0)
            best = max(best, d) + (blend * blend * 0.25 / k if k > 0.0 else 0.0)
    return best, part


@njit(**COMPILE)
def lookup(grid, x, y, z):
    """Trilinear distance from a grid (N, N, N) over [-.5, .5]^3 (cell centres); outside it, plus the way to the cube."""
    n = grid.shape[0]
    cx, cy, cz = min(max(x, -0.5), 0.5), min(max(y, -0.5), 0.5), min(max(z, -0.5), 0.5)
    away = math.sqrt((x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2)
    fx = min(max((cx + 0.5) * n - 0.5, 0.0), n - 1.001)
    fy = min(max((cy + 0.5) * n - 0.5, 0.0), n - 1.001)
    fz = min(max((cz + 0.5) * n - 0.5, 0.0), n - 1.001)
    i, j, k = int(fx), int(fy), int(fz)
    fx, fy, fz = fx - i, fy - j, fz - k
    low = (grid[i, j, k] * (1 - fz) + grid[i, j, k + 1] * fz) * (1 - fy) + (
        grid[i, j + 1, k] * (1 - fz) + grid[i, j + 1, k + 1] * fz) * fy
    high = (grid[i + 1, j, k] * (1 - fz) + grid[i + 1, j, k + 1] * fz) * (1 - fy) + (
        grid[i + 1, j + 1, k] * (1 - fz) + grid[i + 1, j + 1, k + 1] * fz) * fy
    d = low * (1 - fx) + high * fx
    return max(d, 0.0) + away if away > 0.0 else d


@njit(**COMPILE)
def fields(table, used, coarse, fine):
    """Fill the distance grids coarse (n, n, n) and fine (2n, 2n, 2n): fine cells far from the surface interpolate."""
    n = coarse.shape[0]
    for i in range(n):
        for j in range(n):
            for k in range(n):
                d, _ = distance(table, used, (i + 0.5) / n - 0.5, (j + 0.5) / n - 0.5, (k + 0.5) / n - 0.5)
                coarse[i, j, k] = d
    m = fine.shape[0]
    band = 1.8 / n
    for i in range(m):
        for j in range(m):
            for k in range(m):
                x, y, z = (i + 0.5) / m - 0.5, (j + 0.5) / m - 0.5, (k + 0.5) / m - 0.5
                if abs(coarse[min(i // 2, n - 1), min(j // 2, n - 1), min(k // 2, n - 1)]) < band:
                    d, _ = distance(table, used, x, y, z)
                else:
                    d = lookup(coarse, x, y, z)
                fine[i, j, k] = d


@njit(**COMPILE)
def trace(grid, table, used, ox, oy, oz, dx, dy, dz, start, end):
    """Distance along the ray to the surface, or -1; the grid carries it close, the parts themselves finish."""
    t = start
    near = 1.2 / grid.shape[0]
    for _ in range(80):
        if t > end:
            return -1.0
        x, y, z = ox + t * dx, oy + t * dy, oz + t * dz
        d = lookup(grid, x, y, z)
        if d < near:
            d, _part = distance(table, used, x, y, z)
            if d < 8e-4:
                return t
            t += max(0.9 * d, 4e-4)
        else:
            t += max(0.95 * d - 0.3 * near, 0.5 * near)
    return -1.0


@njit(**COMPILE)
def shaded(grid, ox, oy, oz, dx, dy, dz):
    """Soft shadow in [0, 1] of the grid along a ray (Quilez, "soft shadows in raymarched SDFs")."""
    t, light = 0.03, 1.0
    for _ in range(24):
        d = lookup(grid, ox + t * dx, oy + t * dy, oz + t * dz)
        light = min(light, 10.0 * d / t)
        if light < 0.02:
            return 0.0
        t += min(max(d, 0.012), 0.15)
        if t > 1.6:
            break
    return light


@njit(**COMPILE)
def occluded(grid, x, y, z, nx, ny, nz):
    """Ambient light in [0, 1] that reaches a point (five steps along the normal)."""
    sum_, weight = 0.0, 1.0
    for i in range(1, 5):
        h = 0.035 * i
        sum_ += weight * max(h - lookup(grid, x + nx * h, y + ny * h, z + nz * h), 0.0)
        weight *= 0.75
    return max(1.0 - 4.0 * sum_, 0.15)


@njit(**COMPILE)
def softly(grid, ox, oy, oz, dx, dy, dz, sharpness):
    """Share in [0, 1] of a lobe of the sky that reaches a place: a cone as wide as the lobe, in few strides."""
    hardness = 1.0 / math.sqrt(2.0 / sharpness - 1.0 / (sharpness * sharpness))
    t, light = 0.04, 1.0
    for _ in range(12):
        d = lookup(grid, ox + t * dx, oy + t * dy, oz + t * dz)
        light = min(light, hardness * d / t)
        if light < 0.02:
            return 0.0
        t += max(max(d, 0.02), 0.25 * t / hardness)
        if t > 1.4:
            break
    return light


@njit(**COMPILE)
def skylight(grid, sky, x, y, z, n, dx, dy, dz, base, gloss, metal, out):
    """Add to out (3,) what the lobes of sky (L, 7) bring from a place with the unit normal n (3,) along a ray's way back.

    Lambert beside a mirror as blurred as the gloss is low; Schlick's Fresnel term, of bare metal in its own colour.
    """
    facing = min(max(-(n[0] * dx + n[1] * dy + n[2] * dz), 0.0), 1.0)
    rx, ry, rz = dx + 2 * facing * n[0], dy + 2 * facing * n[1], dz + 2 * facing * n[2]
    polish = 2.0 + 90.0 * gloss * gloss
    edge = (1.0 - facing) ** 5
    for i in range(sky.shape[0]):
        row = sky[i]
        if row[3] + row[4] + row[5] <= 0.0:
            continue
        sharp, wrap = row[6], 1.0 / row[6]
        towards = max((n[0] * row[0] + n[1] * row[1] + n[2] * row[2] + wrap) / (1.0 + wrap), 0.0)
        both = polish * sharp / (polish + sharp)
        mirrored = 0.5 * both * math.exp(both * (rx * row[0] + ry * row[1] + rz * row[2] - 1.0))
        if towards < 1e-3 and mirrored < 1e-3:
            continue
        seen = softly(grid, x + n[0] * 0.01, y + n[1] * 0.01, z + n[2] * 0.01, row[0], row[1], row[2], sharp)
        for c in range(3):
            fresnel = base[c] * metal + (1.0 - metal) * 0.08 * gloss
            fresnel += (max(gloss, metal) - fresnel) * edge * gloss
            reaches = seen + (1.0 - seen) * BOUNCED * base[c]
            out[c] += row[3 + c] * (base[c] * (1.0 - metal) * towards * reaches + fresnel * mirrored * seen)


@njit(**COMPILE)
def _hash(i, j, k):
    h = (i * 374761393 + j * 668265263 + k * 2147483647 + 144665) & 0x7FFFFFFF
    h = ((h ^ (h >> 13)) * 1274126177) & 0x7FFFFFFF
    return ((h ^ (h >> 16)) & 0xFFFF) / 65535.0


@njit(**COMPILE)
def noise(x, y, z):
    """Value noise in [0, 1]."""
    i, j, k = int(math.floor(x)), int(math.floor(y)), int(math.floor(z))
    u, v, w = x - i, y - j, z - k
    u, v, w = u * u * (3 - 2 * u), v * v * (3 - 2 * v), w * w * (3 - 2 * w)
    a = _hash(i, j, k) * (1 - w) + _hash(i, j, k + 1) * w
    b = _hash(i, j + 1, k) * (1 - w) + _hash(i, j + 1, k + 1) * w
    c = _hash(i + 1, j, k) * (1 - w) + _hash(i + 1, j, k + 1) * w
    d = _hash(i + 1, j + 1, k) * (1 - w) + _hash(i + 1, j + 1, k + 1) * w
    return (a * (1 - v) + b * v) * (1 - u) + (c * (1 - v) + d * v) * u


@njit(**COMPILE)
def texture_mix(kind, scale, x, y, z):
    """How much of a material's second colour shows at a point, in [0, 1]."""
    if kind == P.CHECKS:
        return float((int(math.floor(x * scale)) + int(math.floor(y * scale)) + int(math.floor(z * scale))) & 1)
    if kind == P.STRIPES:
        return 1.0 if math.sin(6.2832 * z * scale) > 0.2 else 0.0
    if kind == P.BLOTCHES:
        n = 0.65 * noise(x * scale, y * scale, z * scale) + 0.35 * noise(x * 2.3 * scale, y * 2.3 * scale, 7 + z * 2.3 * scale)
        return min(max((n - 0.42) * 6.0, 0.0), 1.0)
    if kind == P.WOOD:
        r = math.sqrt(x * x + 4 * y * y) * 2.0 * scale + 1.4 * noise(x * 3, y * 3, z * 0.7 * scale)
        return 0.7 * (r - math.floor(r))
    if kind == P.LABELS:
        band = z * scale - math.floor(z * scale)
        if band > 0.35 and band < 0.75:
            return 1.0 if noise(x * scale * 5, y * scale * 5, z * scale * 9) > 0.45 else 0.85
        return 0.0
    if kind == P.SPECKLE:
        return 1.0 if noise(x * scale * 8, y * scale * 8, z * scale * 8) > 0.72 else 0.0
    return 0.0


@njit(**COMPILE)
def albedo(table, part, x, y, z, out):
    """Linear base colour out (3,) of a part at a point."""
    row = table[part]
    mix = texture_mix(int(row[TEXTURE]), row[TEXTURE_SCALE], x, y, z)
    for c in range(3):
        out[c] = row[_COLOUR + c] * (1 - mix) + row[_COLOUR2 + c] * mix


@njit(**COMPILE)
def normal(table, used, x, y, z, out):
    """Unit outward normal out (3,): tetrahedron differences."""
    e = 1.5e-3
    a, _ = distance(table, used, x + e, y - e, z - e)
    b, _ = distance(table, used, x - e, y - e, z + e)
    c, _ = distance(table, used, x - e, y + e, z - e)
    d, _ = distance(table, used, x + e, y + e, z + e)
    nx, ny, nz = a - b - c + d, -a - b + c + d, -a + b - c + d
    s = 1.0 / max(math.sqrt(nx * nx + ny * ny + nz * nz), 1e-12)
    out[0], out[1], out[2] = nx * s, ny * s, nz * s


@njit(**COMPILE)
def colours(table, used, coarse, out):
    """Base colour (linear) of the nearest part at each cell of out (n, n, n, 3) within 2 cells of the surface; else 0."""
    n = coarse.shape[0]
    for i in range(n):
        for j in range(n):
            for k in range(n):
                if abs(coarse[i, j, k]) < 2.0 / n:
                    x, y, z = (i + 0.5) / n - 0.5, (j + 0.5) / n - 0.5, (k + 0.5) / n - 0.5
                    _, part = distance(table, used, x, y, z)
                    albedo(table, part, x, y, z, out[i, j, k])


@njit(**COMPILE)
def silhouette_box(grid, table, used, camera, box):
    """Where a coarse picture (48 x 48) over the whole cube sees the object: box = (left, top, right, bottom) in camera tangents."""
    n, reach = 48, camera[7]
    box[0], box[1], box[2], box[3] = 9.0, 9.0, -9.0, -9.0
    direction = np.zeros(3)
    for row in range(n):
        for col in range(n):
            u, v = ((col + 0.5) / n * 2 - 1) * reach, ((row + 0.5) / n * 2 - 1) * reach
            _ray(camera, u, v, direction)
            t = trace(grid, table, used, camera[0], camera[1], camera[2], direction[0], direction[1], direction[2],
                      camera[5], camera[6])
            if t > 0:
                box[0], box[1] = min(box[0], u - reach / n), min(box[1], v - reach / n)
                box[2], box[3] = max(box[2], u + reach / n), max(box[3], v + reach / n)


@njit(**COMPILE)
def _ray(camera, u, v, out):
    """World direction of the picture point (u right, v down, in tangents). camera: position 3, cos and sin of elevation, near, far, reach."""
    c, s = camera[3], camera[4]
    x, y, z = u, c - v * s, -s - v * c  # looks along +y and down; up = (0, s, c)
    k = 1.0 / math.sqrt(x * x + y * y + z * z)
    out[0], out[1], out[2] = x * k, y * k, z * k


@njit(**COMPILE)
def picture(grid, table, used, camera, window, light, sky, floor, background, out, depth):
    """Trace out (H, W, 4) sRGB + coverage and depth (H, W; -1 where nothing), one ray a pixel.

    window: left, top, side of the square crop in tangents. light: direction 3, colour 3, sky 3, ground 3, exposure.
    sky: lobes (L, 7) as skies.py has them, those without colour are nothing. floor: height, colour 3, colour2 3, texture,
    scale, wall colour 3. Without `background` only the object's pixels are filled.
    """
    size = out.shape[0]
    direction, n, base, lit = np.zeros(3), np.zeros(3), np.zeros(3), np.zeros(3)
    under_sky = sky.sum() != 0.0
    for row in range(size):
        for col in range(size):
            u, v = window[0] + (col + 0.5) / size * window[2], window[1] + (row + 0.5) / size * window[2]
            _ray(camera, u, v, direction)
            dx, dy, dz = direction[0], direction[1], direction[2]
            ox, oy, oz = camera[0], camera[1], camera[2]
            t = trace(grid, table, used, ox, oy, oz, dx, dy, dz, camera[5], camera[6])
            gloss, metal, occlusion, alpha = 0.0, 0.0, 1.0, 1.0
            if t > 0.0:
                x, y, z = ox + t * dx, oy + t * dy, oz + t * dz
                _, part = distance(table, used, x, y, z)
                normal(table, used, x, y, z, n)
                albedo(table, part, x, y, z, base)
                gloss = table[part, GLOSS]
                metal = table[part, METAL] if under_sky else 0.0  # a lamp alone gives it nothing to reflect
                depth[row, col] = t
            else:
                alpha, depth[row, col] = 0.0, -1.0
                if not background:
                    continue
                fall = (floor[0] - oz) / dz if dz < -1e-3 else -1.0
                if fall <= 0.0 or fall > 9.0:
                    for c in range(3):
                        out[row, col, c] = _srgb((floor[9 + c] * (0.8 + 0.3 * v)) * light[12])
                    out[row, col, 3] = 0.0
                    continue
                x, y, z = ox + fall * dx, oy + fall * dy, floor[0]
                n[0], n[1], n[2] = 0.0, 0.0, 1.0
                mix = texture_mix(int(floor[7]), floor[8], x, y, 0.37)
                for c in range(3):
                    base[c] = floor[1 + c] * (1 - mix) + floor[4 + c] * mix
            lx, ly, lz = light[0], light[1], light[2]
            lambert = max(n[0] * lx + n[1] * ly + n[2] * lz, 0.0)
            if lambert > 0.0:
                lambert *= shaded(grid, x + n[0] * 0.01, y + n[1] * 0.01, z + n[2] * 0.01, lx, ly, lz)
            occlusion = occluded(grid, x, y, z, n[0], n[1], n[2])
            upward = 0.5 + 0.5 * n[2]
            hx, hy, hz = lx - dx, ly - dy, lz - dz
            hs = 1.0 / max(math.sqrt(hx * hx + hy * hy + hz * hz), 1e-6)
            shine = max((n[0] * hx + n[1] * hy + n[2] * hz) * hs, 0.0) ** (8.0 + 120.0 * gloss) * gloss if lambert > 0 else 0.0
            for c in range(3):
                ambient = (light[6 + c] * upward + light[9 + c] * (1 - upward)) * occlusion
                lit[c] = base[c] * (ambient + light[3 + c] * lambert) + shine * light[3 + c] * 0.7
            if under_sky:
                skylight(grid, sky, x, y, z, n, dx, dy, dz, base, gloss, metal, lit)
            for c in range(3):
                out[row, col, c] = _srgb(lit[c] * light[12])
            out[row, col, 3] = alpha


@njit(**COMPILE)
def _srgb(x):
    x = min(max(x, 0.0), 1.0)
    return 12.92 * x if x <= 0.0031308 else 1.055 * x ** (1 / 2.4) - 0.055
