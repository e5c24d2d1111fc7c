"""What can be asked of a training of image_to_field."""

from __future__ import annotations

from dataclasses import dataclass

from .base import BaseRecipe

DESIGNS = "back-projection", "global-latent"


@dataclass(frozen=True)
class Recipe(BaseRecipe):
    """Train image_to_field on shards made by `python -m maquette.train shards`."""

    shards: str = "runs/shards"
    """Folder with train/, library/ and validation/ shards; train/ may grow while training reads it. "none": every
    sample is drawn and traced on the training device as it is needed (GPUs)."""
    design: str = "back-projection"
    """back-projection: what ships; global-latent: a peer after Pix2Vox-F to measure against (`evaluate designs`)."""
    width: int = 24
    encoder: int = 48
    library: int = 9600
    """Shapes in the nearest-silhouette prior, from library/; 0 leaves the prior out."""
    region: int = 12
    """Side of the part of the 32^3 grid that is refined to 64^3 at each step."""
    true_camera: float = 0.5
    """Share of samples decoded with the true camera once the camera is learned; the rest use the predicted one."""
    cameras: int = 16
    """Pictures more a step that teach the encoder their cameras alone: cheap, and depth is the unknown."""
    camera_share: float = 0.07
    """First share of the budget that trains the cameras alone, before volumes hang on them; none with --start."""
    several: int = 0
    """Channels in which other views of an object meet; 0 trains on one picture alone, otherwise train_views/ and
    validation_views/ are wanted too, made by `shards --views 4`."""
    several_share: float = 0.5
    """Share of the steps that take several views."""
    relief: int = 0
    """Features without a name beside the depths that are read from the picture; 0 reads none."""
    relief_share: float = 0.0
    """First share of the budget that trains those depths alone, which is cheap."""
    validation: int = 256
    other_data: str = ""
    """What the shards hold besides procedural shapes, with its licence, for the card: "KayKit props, CC0"."""
