"""What can be told of a photograph before its camera is looked for: how sharp it is, how bright, which lens took it."""

import numpy as np
from scipy.ndimage import laplace, zoom

from .picture import BROKEN, opened

WORKING = 512
"""Longer side at which sharpness is measured: photos of any size compare, and noise of single pixels counts less"""
DARK, BRIGHT = 30, 235
"""Mean grey values of 255 beyond which little can be seen"""
FILM = 36.0
"""Millimetres across the film that focal lengths are converted to"""
SUB_IFD, FILM_FOCAL, FOCAL, MAKE, MODEL = 0x8769, 0xA405, 0x920A, 0x010F, 0x0110


def grey(image):
    """(H, W) float32 in [0, 255] of image (H, W, 3) uint8, its longer side at most about WORKING."""
    step = max(1, round(max(image.shape[:2]) / WORKING))
    return image[::step, ::step].astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)


def sharpness(values) -> float:
    """Variance of the Laplacian (Pech-Pacheco 2000) of grey values (H, W): falls when a picture blurs."""
    return float(laplace(values.astype(np.float32)).var())


def weakness(image) -> str:
    """The likely reason why image (H, W, 3) uint8 shows too little detail, as the end of a sentence."""
    values = grey(image)
    if values.mean() < DARK:
        return "it is too dark"
    if values.mean() > BRIGHT:
        return "it is too bright"
    coarse = zoom(values, 0.25, order=1)
    return "it is blurred" if coarse.std() > 12 else "what it shows is too plain"


def taken_with(path) -> tuple[tuple, float | None]:
    """What EXIF says of the camera, as a key that other photos by it share, and its focal length in longer sides of the
    picture, None where unknown."""
    try:
        with opened(path) as image:
            exif = image.getexif()
            details = exif.get_ifd(SUB_IFD)
            film, focal = _number(details.get(FILM_FOCAL)), _number(details.get(FOCAL))
            make, model = (str(exif.get(tag, "")) for tag in (MAKE, MODEL))
    except BROKEN:  # broken metadata on a good picture: the lens is then found from the photos
        return (), None
    return (make, model, film, focal), film / FILM if film else None


def _number(value) -> float:
    try:
        value = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return 0.0
    return value if 0 < value < 1e4 else 0.0
