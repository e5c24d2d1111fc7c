"""sRGB as pictures and colours hold it, and linear light, which shading and glTF's vertex colours need."""

import numpy as np


def to_linear(srgb):
    """Linear light in [0, 1] of sRGB values in [0, 1], any shape (IEC 61966-2-1)."""
    srgb = np.asarray(srgb)
    return np.where(srgb <= 0.04045, srgb / 12.92, ((np.maximum(srgb, 0) + 0.055) / 1.055) ** 2.4).astype(srgb.dtype)


def to_srgb(linear):
    """sRGB values of linear light, both in [0, 1], any shape."""
    linear = np.asarray(linear)
    curve = 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, linear * 12.92, curve).astype(linear.dtype)


def to_bytes(colours):
    """uint8 of values in [0, 1]."""
    return (np.clip(colours, 0, 1) * 255 + 0.5).astype(np.uint8)
