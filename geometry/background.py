"""The object apart from what is behind it: by the picture's own alpha, else by what its border looks like where that is
plain, else by a network that the caller brings, for this room knows no torch.

A plain or smoothly changing background (paper, a wall, a vignette, a studio's gradient) is modelled as a low polynomial
of the place for each channel of L*a*b*, fitted to the border robustly and then to all that is joined to the border and
looks like it. What differs is the object. Soft shadows are background that darkens gradually without changing hue.
Found at a working size, the mask gets its soft edge from the full picture.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import (
    binary_dilation,
    binary_erosion,
    binary_opening,
    gaussian_filter,
    gaussian_gradient_magnitude,
    label,
    map_coordinates,
)

from .colour import to_lab
from .crop import resized

WORKING = 288
"""Longer side of the picture in which the object is found."""
SEEN = 0.5
ALIKE = 0.8
"""Intersection over union of plain background's and network's answers from which the former is believed"""
CALM = 5.0
"""Deviation in L*a*b* up to which a background may pass for plain"""
SMALLEST = 0.002
"""Share of the picture that an object covers at least."""


@dataclass(frozen=True, eq=False)
class Isolated:
    """A picture of which only the object is seen."""

    rgba: np.ndarray
    """(H, W, 4) float32 sRGB, straight alpha: the mask"""
    mask: np.ndarray
    """(H, W) float32 in [0, 1]"""
    method: str
    """How it was found: "alpha", "plain" where the background was modelled, "network", or "given"."""
    sure: bool = True
    """False where the background does not look plain and no network was there."""


def isolate(picture, network: Callable[[np.ndarray], np.ndarray | None] = lambda small: None) -> Isolated:
    """The object in a Picture: by its alpha, else by a plain background, else by the network.

    network: rgb (h, w, 3) at the working size -> which pixels (h, w) bool are the object's, or None where it is not
    there. Where the background looks plain it can only object: a shadow's edge may pass for the object's, and so may
    the shadow close to a foot. Raises ValueError where there is no object.
    """
    alpha = picture.rgba[..., 3]
    if picture.has_alpha:
        if (alpha >= SEEN).mean() < 1e-4:
            raise ValueError(f"{picture.name} is transparent all over; there is no object to see")
        if (alpha < SEEN).mean() > 0.01:
            return Isolated(picture.rgba, alpha, "alpha")
    rgb = picture.rgba[..., :3]
    scale = min(1.0, WORKING / max(alpha.shape))
    height, width = (max(8, round(n * scale)) for n in alpha.shape)
    small = resized(rgb, height, width)
    background, noise = fit_background(to_lab(small))
    found, method = find_object(small, background, noise), "plain"
    sure = plain(small, background, noise, found)
    seen = None if _blank(small, background, noise) else network(small)
    if seen is not None:
        seen = largest(seen)
        if not sure or _overlap(found, seen) < ALIKE:
            found, method, sure = seen, "network", True
        else:
            found = without_shadow(found, seen, small, background, noise)
    if found.mean() < SMALLEST:
        raise ValueError(
            f"no object stands out from the background of {picture.name}; use a plain background, or a PNG without one"
        )
    mask, colours = soften(rgb, small, found)
    return Isolated(np.concatenate([colours, mask[..., None]], axis=-1), mask, method, sure)


def _blank(small, background, noise) -> bool:
    """Nothing at all differs from the fitted background: a network would see things."""
    return noise < CALM and (np.linalg.norm(to_lab(small) - background, axis=-1) > limit(noise)).mean() < SMALLEST


def _overlap(one, other) -> float:
    return np.count_nonzero(one & other) / max(np.count_nonzero(one | other), 1)


def cut_out(picture, mask_picture) -> Isolated:
    """The object as somebody marked it: bright, or opaque where the mask has alpha, is object.

    Raises ValueError where the mask is of another shape or marks nothing.
    """
    marked = mask_picture.rgba[..., 3] if mask_picture.has_alpha else mask_picture.rgba[..., :3].mean(axis=-1)
    (height, width), (rows, columns) = picture.rgba.shape[:2], marked.shape
    if abs(height * columns - width * rows) > 2 * max(height, width, rows, columns):
        raise ValueError(
            f"{mask_picture.name} is {columns} x {rows} and {picture.name} {width} x {height}; "
            "a mask must have its picture's proportions"
        )
    rgb, mask = picture.rgba[..., :3], np.clip(resized(marked.astype(np.float32), height, width), 0, 1)
    if (mask > SEEN).mean() < SMALLEST:
        raise ValueError(
            f"{mask_picture.name} marks no object in {picture.name}; paint the object white, the rest black"
        )
    if (height, width) == (rows, columns) and ((marked < 0.01) | (marked > 0.99)).all():
        mask, rgb = soften(rgb, rgb, mask > SEEN)  # painted without shades: the picture knows where the edge is soft
    return Isolated(np.concatenate([rgb, mask[..., None]], axis=-1), mask, "given")


# --- the background --------------------------------------------------------------------------------------------------


def fit_background(lab):
    """What the picture would be without the object: (h, w, 3) L*a*b*, and how far it strays from that (a deviation)."""
    all_terms = _terms(*lab.shape[:2])
    lab, terms = lab[::2, ::2], all_terms[::2, ::2]  # smooth things need no more
    ring = _ring(*lab.shape[:2])
    flat, places = lab[ring], terms[ring]
    believed = _agreeing(flat, places[:, :3])
    coefficients = _fit(places[:, :3], flat, believed)
    noise = _deviation(flat - places[:, :3] @ coefficients, believed)
    for order in (6, 6, 10, 10, 15):
        far = np.linalg.norm(lab - terms[..., : coefficients.shape[0]] @ coefficients, axis=-1)
        alike = _joined_to_border(far < max(4 * noise, 4.0))
        places, flat = terms[alike][:, :order], lab[alike]
        coefficients = _fit(places, flat, np.ones(len(flat)))
        noise = _deviation(flat - places @ coefficients, np.ones(len(flat)))
    return all_terms[..., :order] @ coefficients.astype(np.float32), noise


def _ring(height, width):
    deep = max(2, round(0.02 * min(height, width)))
    ring = np.ones((height, width), bool)
    ring[deep:-deep, deep:-deep] = False
    return ring


def _terms(height, width):
    """Polynomials of the place up to the fourth degree, lowest first: (h, w, 15)."""
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    return np.stack([x ** (d - i) * y**i for d in range(5) for i in range(d + 1)], axis=-1).astype(np.float32)


def _agreeing(flat, places, tries=96, near=6.0):
    """Which border pixels (n,) agree with the colour, or plane of colours, that most agree with (sampled, seeded)."""
    random = np.random.default_rng(0)
    some = random.choice(len(flat), min(len(flat), 500), replace=False)
    best, chosen = -1.0, None
    for attempt in range(tries):
        if attempt % 2:  # a plane, or one colour
            three = random.choice(some, 3, replace=False)
            try:
                plane = np.linalg.solve(places[three].astype(np.float64), flat[three])
            except np.linalg.LinAlgError:
                continue
        else:
            plane = np.zeros((3, 3))
            plane[0] = flat[random.choice(some)]
        off = np.linalg.norm(flat[some] - places[some] @ plane, axis=-1)
        score = np.maximum(0, 1 - (off / near) ** 2).sum() - 0.02 * len(some) * (attempt % 2)
        if score > best:
            best, chosen = score, plane
    off = np.linalg.norm(flat - places @ chosen, axis=-1)
    return (off < 2 * near).astype(np.float64)


def _fit(terms, values, weight):
    """Coefficients (T, 3) by weighted least squares; a little ridge keeps high terms small where nothing is known."""
    terms = terms.astype(np.float64)
    ridge = np.diag([1e-6] + [1e-4] * (terms.shape[1] - 1)) * max(weight.sum(), 1)
    return np.linalg.solve(terms.T @ (terms * weight[:, None]) + ridge, terms.T @ (values * weight[:, None]))


def _deviation(residuals, weight):
    off = np.linalg.norm(residuals, axis=-1)[weight > 0]
    return float(np.median(off)) if len(off) else 10.0


def _joined_to_border(where):
    numbers, _ = label(where)
    rim = np.concatenate([numbers[0], numbers[-1], numbers[:, 0], numbers[:, -1]])
    reached = np.zeros(numbers.max() + 1, bool)
    reached[rim] = True
    reached[0] = False
    return reached[numbers]


def plain(small, background, noise, found):
    """Whether the background (h, w, 3) that was fitted to a picture explains it well enough to trust what it found.

    It does where nearly all of the border follows it with little noise, and what was found is whole, apart from the
    border and well apart in colour. The bounds were chosen on procedural validation pictures.
    """
    ring = _ring(*found.shape)
    apart = np.linalg.norm(to_lab(small) - background, axis=-1)
    far = limit(noise)
    pieces = label(found)[1]
    return bool(
        noise < CALM
        and (apart[ring] < far).mean() > 0.95
        and found[ring].mean() < 0.03
        and 1 <= pieces <= 3
        and np.median(apart[found]) > 2 * far
    )


def limit(noise) -> float:
    """How far in L*a*b* a pixel of the background may be from what was fitted."""
    return max(4 * noise, 3.5)


# --- the object ------------------------------------------------------------------------------------------------------


def find_object(small, background, noise):
    """Which pixels (h, w) are the object's, whole pixels at the working size."""
    lab = to_lab(small)
    calm = gaussian_filter(lab, (0.6, 0.6, 0))
    apart = np.linalg.norm(calm - background, axis=-1)
    behind = apart < limit(noise)
    greyed = _greyed(calm, background, noise) & _round_the_foot(~behind)
    steep = gaussian_gradient_magnitude(lab[..., 0], 1.0)
    outside = _joined_to_border(behind | (greyed & (steep < max(1.5 * noise, 3.0))))
    inside = ~outside
    # What is enclosed and looks just like the background is seen through a hole.
    holes = binary_opening(behind & inside & (apart < 0.8 * limit(noise)))
    return _worth(inside & ~holes, greyed)


def without_shadow(found, seen, small, background, noise):
    """What was found (h, w) without what is greyed as by a shadow, and not of the object as the network sees it.

    Close to what stands on the ground a shadow has edges as an object has. A pixel's rim of the object stays.
    """
    calm = gaussian_filter(to_lab(small), (0.6, 0.6, 0))
    behind = np.linalg.norm(calm - background, axis=-1) < limit(noise)
    cast = found & ~seen & _greyed(calm, background, noise) & _round_the_foot(~behind)
    return largest(found & ~binary_opening(cast, np.ones((2, 2))))


def largest(seen):
    """Pieces (h, w) of what a network saw that are at least a twentieth of the largest."""
    numbers, count = label(seen, np.ones((3, 3)))
    sizes = np.bincount(numbers.ravel(), minlength=count + 1)
    sizes[0] = 0
    return (sizes >= max(0.05 * sizes.max(), 4))[numbers]


def _greyed(calm, background, noise):
    """As a soft shadow leaves it: darker than the background and of its hue."""
    fall = background[..., 0] - calm[..., 0]
    # Less of the same light scales L* + 16, a* and b* alike.
    ratio = np.clip((calm[..., 0] + 16) / (background[..., 0] + 16), 0, 1)
    tint = np.linalg.norm(calm[..., 1:] - background[..., 1:] * ratio[..., None], axis=-1)
    return (fall > 0) & (fall < 45) & (tint < max(2.5 * noise, 4.0))


def _round_the_foot(inside):
    """The rows (h, 1) where a shadow on the ground may lie: pale things on white paper keep their upper parts."""
    rows = np.flatnonzero(inside.any(axis=1))
    if not len(rows):
        return np.zeros((len(inside), 1), bool)
    return (np.arange(len(inside)) > rows[0] + 0.55 * (rows[-1] - rows[0]))[:, None]


def _worth(inside, greyed):
    """Pieces of at least a fiftieth of the largest, without those that are the rims of shadows."""
    numbers, count = label(inside, np.ones((3, 3)))
    if not count:
        return inside
    sizes = np.bincount(numbers.ravel())
    sizes[0] = 0
    shadow = np.bincount(numbers.ravel(), greyed.ravel()) > 0.8 * sizes
    if not shadow[sizes.argmax()]:
        sizes[shadow] = 0
    return (sizes >= max(0.02 * sizes.max(), 4))[numbers]


# --- the edge --------------------------------------------------------------------------------------------------------


def soften(rgb, small, found):
    """The mask at the picture's own size, and the picture with the background taken out of the object's edge.

    Along the edge each pixel is a mix of the object's colour near by and the background's near by: the mask is the
    share. rgb (H, W, 3), small (h, w, 3), found (h, w) bool. Returns mask (H, W) and colours (H, W, 3) float32.
    """
    band = binary_dilation(found, iterations=2) & ~binary_erosion(found, iterations=2, border_value=1)
    core = binary_erosion(found, border_value=1) + 1e-3 * found
    clear = ~binary_dilation(found) + 1e-6
    near = [_spread(small, weight.astype(np.float32)) for weight in (core, clear)]
    mask = np.clip(2 * resized(found.astype(np.float32), *rgb.shape[:2]) - 0.5, 0, 1)
    rows, columns = np.nonzero(resized(band.astype(np.float32), *rgb.shape[:2]) > 0.01)
    scale = np.array(found.shape) / rgb.shape[:2]
    places = (np.stack([rows, columns]) + 0.5) * scale[:, None] - 0.5
    front, back = (
        np.stack([map_coordinates(colours[..., i], places, order=1, mode="nearest") for i in range(3)], -1)
        for colours in near
    )
    seen, across = rgb[rows, columns], front - back
    contrast = (across**2).sum(axis=-1)
    share = ((seen - back) * across).sum(axis=-1) / np.maximum(contrast, 1e-6)
    share = np.clip((share - 0.08) / 0.84, 0, 1)
    sure = np.clip(contrast / 0.02, 0, 1)  # too alike to tell the mix: keep the shape that was found
    plain = mask[rows, columns]
    share = sure * share + (1 - sure) * plain
    mask[rows, columns] = share
    colours = rgb.copy()
    part = np.clip(share, 0.3, 1)[:, None]
    colours[rows, columns] = np.clip((seen - (1 - part) * back) / part, 0, 1)
    return mask, colours


def _spread(image, weight, sigma=2.5):
    """Weighted means (h, w, 3) of the image round each pixel."""
    total = gaussian_filter(weight, sigma) + 1e-12
    return np.stack([gaussian_filter(image[..., i] * weight, sigma) / total for i in range(3)], axis=-1)
