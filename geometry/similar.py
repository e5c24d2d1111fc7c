"""How alike two pictures are."""

import numpy as np
from skimage.metrics import structural_similarity


def psnr(shown: np.ndarray, truth: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of (H, W, 3) in [0, 1]; 99 for the same picture."""
    error = float(np.square(np.clip(shown, 0, 1).astype(np.float64) - truth).mean())
    return min(-10 * np.log10(max(error, 1e-12)), 99.0)


def ssim(shown: np.ndarray, truth: np.ndarray) -> float:
    """Structural similarity (Wang 2004) of (H, W, 3) in [0, 1], as scikit-image computes it."""
    side = min(7, *(n - 1 + n % 2 for n in truth.shape[:2]))
    return float(structural_similarity(np.clip(shown, 0, 1), truth, channel_axis=-1, data_range=1.0, win_size=side))
