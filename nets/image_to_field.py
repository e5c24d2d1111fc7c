"""Picture -> occupancy, signed distance and colour in an upright cube, as seen from the picture's camera."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .camera import BINS, cell_centres, hypotheses, project
from .prior import SilhouettePrior
from .relief import Placed, Relief, Summed, conv
from .several_views import Meeting, OtherView, TurnHead, fitted

COARSE, MIDDLE, FINE = 16, 32, 64
PICTURE = 128
TRUNCATION = 0.1


@dataclass(frozen=True)
class Config:
    width: int = 24
    """Channels of the volume at 16^3; doubled at 8^3, again at 4^3."""
    encoder: int = 48
    """Channels of the picture's features at 32 x 32."""
    vector: int = 256
    """Length of the global feature."""
    detail: int = 24
    """Channels of the refinement at 32^3."""
    library: int = 0
    """How many nearest-silhouette shapes the prior holds; 0 leaves the prior out."""
    several: int = 0
    """Channels in which other views of the object meet; 0 for networks of one picture."""
    relief: int = 0
    """Features without a name beside the depths and normals that are read from the picture; 0 reads none."""


@dataclass
class Prediction:
    """Occupancy logits and distance (inside > 0, in units of the cube), (B, 1, X, Y, Z) at 32^3 and, fine, at 64^3.

    Those at 64^3 and colour, sRGB logits (B, 3, X, Y, Z) at 32^3, cover the region that was asked for.
    """

    occupancy: Tensor
    distance: Tensor
    fine_occupancy: Tensor
    fine_distance: Tensor
    colour: Tensor


def _block(channels: int) -> nn.Module:
    return nn.Sequential(nn.BatchNorm3d(channels), nn.ReLU(inplace=True), nn.Conv3d(channels, channels, 3, padding=1))


class Encoder(nn.Module):
    """CNN: RGBA crop (B, 4, 128, 128) -> features at 32 x 32 and 16 x 16 and a global vector (B, V).

    Batch norm and overlapping 3 x 3 strides: within 28 thousand pictures such an encoder reads elevations better than a
    residual one with group norm and patches did after 140 thousand.
    """

    def __init__(self, config: Config):
        super().__init__()
        c = config.encoder
        self.one = nn.Sequential(conv(4, c // 2, 2), conv(c // 2, c, 2), conv(c, c))
        self.two = nn.Sequential(conv(c, 2 * c, 2), conv(2 * c, 2 * c))
        self.rest = nn.Sequential(
            conv(2 * c, 4 * c, 2), conv(4 * c, 4 * c), conv(4 * c, 4 * c, 2), conv(4 * c, 4 * c)
        )
        self.vector = nn.Sequential(nn.Flatten(), nn.Linear(4 * c * 16, config.vector), nn.ReLU(inplace=True))

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        at32 = self.one(picture - 0.5)
        at16 = self.two(at32)
        return at32, at16, self.vector(self.rest(at16))


class Volume(nn.Module):
    """3D U-Net over 16^3, 8^3 and 4^3; the global vector enters at the bottom and as a bias at the top."""

    def __init__(self, inputs: int, config: Config):
        super().__init__()
        w, v = config.width, config.vector
        self.enter = nn.Conv3d(inputs, w, 1)
        self.bias = nn.Linear(v + 5, w)
        self.top = nn.ModuleList([_block(w)])
        self.down_one = nn.Conv3d(w, 2 * w, 2, stride=2)
        self.middle = nn.ModuleList([_block(2 * w), _block(2 * w)])
        self.down_two = nn.Conv3d(2 * w, 4 * w, 2, stride=2)
        self.globe = nn.Linear(v + 5, 2 * w * 64)  # half of the channels at 4^3
        self.bottom = nn.ModuleList([_block(4 * w), _block(4 * w)])
        self.up_one = nn.ConvTranspose3d(4 * w, 2 * w, 2, stride=2)
        self.middle_up = nn.ModuleList([_block(2 * w), _block(2 * w)])
        self.up_two = nn.ConvTranspose3d(2 * w, w, 2, stride=2)
        self.top_up = nn.ModuleList([_block(w), _block(w)])

    def forward(self, x: Tensor, vector: Tensor, others: Tensor | None = None) -> Tensor:
        x = self.enter(x) + self.bias(vector)[:, :, None, None, None]
        if others is not None:
            x = x + others
        for block in self.top:
            x = x + block(x)
        y = self.down_one(x)
        for block in self.middle:
            y = y + block(y)
        z = self.down_two(y)
        spread = self.globe(vector).reshape(len(z), -1, *z.shape[2:])
        z = torch.cat([z[:, : spread.shape[1]] + spread, z[:, spread.shape[1] :]], 1)
        for block in self.bottom:
            z = z + block(z)
        y = y + self.up_one(z)
        for block in self.middle_up:
            y = y + block(y)
        x = x + self.up_two(y)
        for block in self.top_up:
            x = x + block(x)
        return x


def depth_to_space(x: Tensor, channels: int) -> Tensor:
    """(B, 8 C, X, Y, Z) -> (B, C, 2X, 2Y, 2Z)."""
    b, _, n, m, k = x.shape
    x = x.reshape(b, channels, 2, 2, 2, n, m, k)
    return x.permute(0, 1, 5, 2, 6, 3, 7, 4).reshape(b, channels, 2 * n, 2 * m, 2 * k)


def cut(x: Tensor, region: tuple[slice, slice, slice], channels: int) -> Tensor:
    """The region of the grid that depth_to_space(x, channels) would give, made of the cells of x that it needs."""
    few = tuple(slice(r.start // 2, -(-r.stop // 2)) for r in region)
    inner = tuple(slice(r.start - 2 * f.start, r.stop - 2 * f.start) for r, f in zip(region, few))
    return depth_to_space(x[(slice(None), slice(None), *few)], channels)[(slice(None), slice(None), *inner)]


class ImageToField(nn.Module):
    """Back-projects picture features along camera rays into an upright cube and completes it in 3D.

    After CoReNet (arXiv:2004.12989), with the camera predicted as a distribution over elevation and scale (how long the
    object is along the view) and the volumes of the nearest silhouettes beside the features.
    """

    LATENT = 8
    SAMPLED = 16

    def __init__(self, config: Config = Config()):
        super().__init__()
        self.config = config
        c, v, d = config.encoder, config.vector, config.detail
        self.encoder = Encoder(config)
        self.prior = SilhouettePrior(config.library) if config.library else None
        extra = 10 if config.library else 0
        self.bins = nn.Sequential(nn.Linear(v + extra, 128), nn.ReLU(), nn.Linear(128, BINS[0] * BINS[1]))
        self.rest = nn.Sequential(nn.Linear(v + extra + 2, 128), nn.ReLU(), nn.Linear(128, 3))
        self.thin32, self.thin16 = nn.Conv2d(c, self.SAMPLED, 1), nn.Conv2d(2 * c, 24, 1)
        self.volume = Volume(self.SAMPLED + 24 + 4 + 6 + (4 if config.library else 0), config)
        self.head = nn.Conv3d(config.width, 8 * (2 + self.LATENT), 1)
        if config.library:
            self.trust = nn.Parameter(torch.tensor(0.5))  # how far the answer leans on the nearest silhouettes' shapes
        self.enter = nn.Conv3d(2 + self.LATENT + self.SAMPLED + 4 + 3, d, 3, padding=1)
        # No norm over cells here: it is trained on small regions and used on the whole cube or slabs of it
        self.detail = nn.Sequential(nn.SiLU(), nn.Conv3d(d, d, 3, padding=1), nn.SiLU())
        self.fine = nn.Conv3d(d, 8 * 2, 1)
        self.paint = nn.Conv3d(d, 3, 1)
        if config.several:
            self.meet_coarse = Meeting(self.SAMPLED + 24 + 4 + 4, config.several, config.width)
            self.meet_fine = Meeting(self.SAMPLED + 4 + 4, config.several, d)
            self.turn = TurnHead(v)
        if config.relief:
            self.relief, self.relief_vector = Relief(config.relief), Summed(config.relief, v)
            self.relief_coarse, self.relief_fine = (Placed(config.relief, outputs) for outputs in (config.width, d))

    def encode(self, picture: Tensor, relief: int | None = None) -> dict[str, Tensor]:
        """picture (B, 4, 128, 128), sRGB times alpha and alpha, in [0, 1] -> features, camera distribution.

        relief: of how many of them, the first ones, depths are read, where the network reads any; None is all.
        """
        at32, at16, vector = self.encoder(picture)
        maps = self.relief(picture[:relief]) if self.config.relief else None
        if maps is not None:
            more = self.relief_vector(maps, picture[:relief, 3:])
            vector = vector + F.pad(more, (0, 0, 0, len(vector) - len(more))).to(vector.dtype)
        seen = {"picture": picture, "at32": self.thin32(at32), "at16": self.thin16(at16), "vector": vector}
        context = vector
        if self.prior is not None:
            with torch.no_grad():
                seen["prior"], cameras = self.prior(picture[:, 3:4].float())
            context = torch.cat([vector, cameras.to(vector.dtype)], 1)
        if maps is not None:
            seen["relief"] = maps
        return seen | {"context": context, "bins": self.bins(context)}

    def camera(self, seen: dict[str, Tensor], elevation_scale: Tensor) -> Tensor:
        """Complete elevations (radians) and log scales (B, 2) to cameras (B, 5)."""
        rest = self.rest(torch.cat([seen["context"], elevation_scale.to(seen["context"].dtype)], 1)).float()
        return torch.cat([elevation_scale.float(), 0.35 + rest[:, :1] * 0.2, rest[:, 1:] * 0.3], 1)

    def _sampled(self, seen, points: Tensor, camera: Tensor, coarse: bool) -> Tensor:
        """Features (B, C, N) that the points (N, 3) see through the cameras (B, 5)."""
        uv, depth = project(points, camera)
        at = uv[:, :, None].to(seen["at32"].dtype)
        names = ("at32", "at16", "picture") if coarse else ("at32", "picture")
        looked = [F.grid_sample(seen[n], at, mode="bilinear", align_corners=False)[..., 0] for n in names]
        if coarse:
            where = torch.cat([uv.transpose(1, 2), depth[:, None], points.T.expand(len(uv), 3, -1)], 1)
        else:
            where = torch.cat([uv.transpose(1, 2), depth[:, None]], 1)
        return torch.cat([*looked, where.to(looked[0].dtype)], 1)

    def _others(self, others: Sequence[OtherView], points: Tensor, coarse: bool) -> Tensor:
        """What other views see of the points (N, 3): (B, C, N)."""
        names = ("at32", "at16", "picture") if coarse else ("at32", "picture")
        looked = []
        for view in others:
            uv, depth = project(fitted(points, view.fit), view.camera)
            at = uv[:, :, None].to(view.seen["at32"].dtype)
            parts = [F.grid_sample(view.seen[n], at, mode="bilinear", align_corners=False)[..., 0] for n in names]
            within = (uv.abs().amax(-1) <= 1).to(uv)
            where = torch.cat([uv.clamp(-1.5, 1.5).transpose(1, 2), depth[:, None], within[:, None]], 1)
            looked.append(torch.cat([*parts, where.to(parts[0].dtype)], 1))
        return (self.meet_coarse if coarse else self.meet_fine)(looked)

    def _told(self, placed: Placed, seen, points: Tensor, camera: Tensor, others: Sequence[OtherView]) -> Tensor:
        """The mean of what the depths of all views say of the points (N, 3): (B, C, N)."""
        told = [placed(seen["relief"], points, camera)]
        told += [placed(view.seen["relief"], fitted(points, view.fit), view.camera) for view in others]
        return torch.stack(told).mean(0)

    def decode(
        self,
        seen,
        camera: Tensor,
        region: tuple[slice, slice, slice] | None = None,
        others: Sequence[OtherView] = (),
    ) -> Prediction:
        """camera (B, 5); region: slices of the 32^3 grid that is refined to 64^3 (all of it when None)."""
        batch, device = len(camera), camera.device
        x = self._sampled(seen, cell_centres(COARSE, device), camera, True).reshape(batch, -1, COARSE, COARSE, COARSE)
        if self.prior is not None:
            x = torch.cat([x, seen["prior"].to(x.dtype)], 1)
        met = None
        if others:
            met = self._others(others, cell_centres(COARSE, device), True).reshape(batch, -1, COARSE, COARSE, COARSE)
        if self.config.relief:
            told = self._told(self.relief_coarse, seen, cell_centres(COARSE, device), camera, others)
            told = told.reshape(batch, -1, COARSE, COARSE, COARSE)
            met = told if met is None else met + told
        volume = self.head(self.volume(x, torch.cat([seen["vector"], camera.to(seen["vector"].dtype)], 1), met))
        cells, latent = depth_to_space(volume[:, :16], 2), volume[:, 16:]
        if self.prior is not None:
            likely = torch.logit(
                F.interpolate(seen["prior"][:, :1], scale_factor=2, mode="trilinear", align_corners=False), 0.02
            )
            cells = torch.cat([cells[:, :1] + self.trust * likely.to(cells.dtype), cells[:, 1:]], 1)
        region = region or (slice(0, MIDDLE),) * 3
        points = cell_centres(MIDDLE, device).reshape(MIDDLE, MIDDLE, MIDDLE, 3)[region]
        shape = points.shape[:3]
        looked = self._sampled(seen, points.reshape(-1, 3), camera, False).reshape(batch, -1, *shape)
        near = cells[(slice(None), slice(None), *region)]
        y = self.enter(torch.cat([near, cut(latent, region, self.LATENT), looked], 1))
        if others:
            y = y + self._others(others, points.reshape(-1, 3), False).reshape(batch, -1, *shape)
        if self.config.relief:
            told = self._told(self.relief_fine, seen, points.reshape(-1, 3), camera, others)
            y = y + told.reshape(batch, -1, *shape)
        y = y + self.detail(y)
        base = F.interpolate(near, scale_factor=2, mode="trilinear", align_corners=False)
        fine = depth_to_space(self.fine(y), 2) + base
        return Prediction(cells[:, :1], cells[:, 1:] * TRUNCATION, fine[:, :1], fine[:, 1:] * TRUNCATION, self.paint(y))

    def forward(
        self, views: Tensor, count: int = 3, fits: Tensor | None = None
    ) -> tuple[Prediction, Tensor, Tensor]:
        """views (B, V, 4, 128, 128) RGBA in [0, 1] -> a Prediction, cameras (B, count, 5) and their weights.

        The first view gives the frame; fits (B, V - 1, 5) say how the others' cubes lie (`OtherView`). Occupancy logits
        are those of the weighted mean occupancy over the `count` likeliest cameras. Raises ValueError where fits are
        missing, or the network was trained on one picture alone.
        """
        if views.shape[1] != 1 and (fits is None or not self.config.several):
            raise ValueError(f"{views.shape[1]} views need their fits and a network that was trained on several")
        seen = self.encode(views[:, 0])
        others = []
        for i in range(1, views.shape[1]):
            other = self.encode(views[:, i])
            guess, _ = hypotheses(other["bins"].float(), 1)
            others.append(OtherView(other, self.camera(other, guess[:, 0]), fits[:, i - 1]))
        guesses, weights = hypotheses(seen["bins"].float(), count)
        cameras = torch.stack([self.camera(seen, guesses[:, i]) for i in range(count)], 1)
        every = [self.decode(seen, cameras[:, i], None, others) for i in range(count)]
        return blend(every, weights), cameras, weights

    def settings(self) -> dict:
        return asdict(self.config)


def blend(predictions: list[Prediction], weights: Tensor) -> Prediction:
    """Mean over hypotheses: occupancy as probability, distance and colour as they are. weights (B, count)."""

    def mean(name: str, probability: bool) -> Tensor:
        parts = torch.stack([getattr(p, name).float() for p in predictions], 1)
        w = weights.reshape(*weights.shape, 1, 1, 1, 1)
        if not probability:
            return (parts * w).sum(1)
        return torch.logit((parts.sigmoid() * w).sum(1).clamp(1e-4, 1 - 1e-4))

    return Prediction(
        mean("occupancy", True),
        mean("distance", False),
        mean("fine_occupancy", True),
        mean("fine_distance", False),
        mean("colour", False),
    )


def create(config: dict) -> ImageToField:
    """From a card's config; unknown keys raise TypeError."""
    return ImageToField(Config(**config))
