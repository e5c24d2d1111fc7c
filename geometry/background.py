"""The object apart from what is behind it: by the picture's own alpha, or else by what its border looks like.

A plain or smoothly changing background (paper, a wall, a vignette, a studio's gradient) is modelled as a low polynomial
of the place for each channel of L*a*b*, fitted to the border robustly and then to all that is joined to the border and
looks like it. What differs is the object. Soft shadows are background that darkens gradually without changing hue.
Found at a working size, the mask gets its soft edge from the full picture.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_closing, binary_opening, gaussian_filter, gaussian_gradient_magnitude, label

from .colour import to_lab
from .crop import resized

WORKING = 288
"""Longer side of the picture in which the object is found."""
SEEN = 0.5
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
    """How it was found: "alpha", or "plain" where the background was modelled"""


def isolate(picture) -> Isolated:
    """The object in a Picture. Raises ValueError with a sentence where there is none to be found."""
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
    found = find_object(small, background, noise)
    if found.mean() < SMALLEST:
        raise ValueError(
            f"no object stands out from the background of {picture.name}; use a plain background, or a PNG without one"
        )
    mask = soften(rgb, small, found)
    return Isolated(np.concatenate([rgb, mask[..., None]], axis=-1), mask, "plain")


# --- the background --------------------------------------------------------------------------------------------------


def fit_background(lab):
    """What the picture would be without the object: (h, w, 3) L*a*b*, and how far it strays from that (a deviation)."""
    height, width = lab.shape[:2]
    ring = _ring(height, width)
    terms = _terms(height, width)
    flat, places = lab[ring], terms[ring]
    believed = _agreeing(flat, places[:, :3])
    coefficients = _fit(places[:, :3], flat, believed)
    noise = _deviation(flat - places[:, :3] @ coefficients, believed)
    for order in (6, 6, 10, 10, 15):
        far = np.linalg.norm(lab - terms[..., : coefficients.shape[0]] @ coefficients, axis=-1)
        alike = _joined_to_border(far < max(4 * noise, 4.0))
        weight = alike[..., None] * 1.0
        coefficients = _fit(terms[..., :order].reshape(-1, order), lab.reshape(-1, 3), weight.reshape(-1))
        noise = _deviation((lab - terms[..., :order] @ coefficients)[alike], np.ones(alike.sum()))
    return terms[..., :order] @ coefficients, noise


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


# --- the object ------------------------------------------------------------------------------------------------------


def find_object(small, background, noise):
    """Which pixels (h, w) are the object's."""
    lab = to_lab(small)
    calm = gaussian_filter(lab, (0.7, 0.7, 0))
    apart = np.linalg.norm(calm - background, axis=-1)
    limit = max(3.5 * noise, 5.0)
    behind = apart < limit
    shade = _shadow(lab, calm, background, noise)
    outside = _joined_to_border(behind | shade)
    inside = ~outside
    # What is enclosed and looks just like the background is seen through a hole.
    holes = binary_opening(behind & inside & (apart < 0.8 * limit))
    inside &= ~holes
    inside = binary_closing(np.pad(inside, 2))[2:-2, 2:-2] & ~holes
    return _worth(inside)


def _shadow(lab, calm, background, noise):
    """Darker than the background, of its hue, and without an edge."""
    fall = background[..., 0] - calm[..., 0]
    ratio = np.clip(calm[..., 0] / np.maximum(background[..., 0], 1), 0, 1)
    tint = np.linalg.norm(calm[..., 1:] - background[..., 1:] * ratio[..., None], axis=-1)
    steep = gaussian_gradient_magnitude(lab[..., 0], 1.0)
    return (fall > 0) & (fall < 45) & (tint < max(2.5 * noise, 4.0)) & (steep < max(1.2 * noise, 2.0))


def _worth(inside):
    """Pieces of at least a fiftieth of the largest."""
    numbers, count = label(inside, np.ones((3, 3)))
    if not count:
        return inside
    sizes = np.bincount(numbers.ravel())
    sizes[0] = 0
    return (sizes >= max(0.02 * sizes.max(), 4))[numbers]


# --- the edge --------------------------------------------------------------------------------------------------------


def soften(rgb, small, found):
    """The mask (H, W) at the picture's own size."""
    return np.clip(resized(found.astype(np.float32), *rgb.shape[:2]), 0, 1)


