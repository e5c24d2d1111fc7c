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


TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = TO_XYZ.sum(axis=1)
MIX_LAB = np.array([[0, 116, 0], [500, -500, 0], [0, 200, -200]], np.float32)


def to_lab(srgb):
    """CIE L*a*b* (D65) of sRGB (..., 3) float32 in [0, 1]: L in [0, 100], distances of about 2 are just seen."""
    relative = to_linear(srgb) @ (TO_XYZ / WHITE[:, None]).T.astype(np.float32)
    curve = np.where(relative > 0.008856, np.cbrt(relative), 7.787 * relative + np.float32(16 / 116))
    return curve @ MIX_LAB.T - np.array([16, 0, 0], np.float32)


def to_bytes(colours):
    """uint8 of values in [0, 1]."""
    return (np.clip(colours, 0, 1) * 255 + 0.5).astype(np.uint8)
