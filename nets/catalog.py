"""The networks that Maquette bundles. A row here reaches the menus, the command line, the worker, the tests and train/.

Importing this loads no torch: Blender and the command line read it too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

WEIGHTS = Path(__file__).parent / "weights"


@dataclass(frozen=True)
class Network:
    name: str
    """Also its module in nets/, its weights file, its card and its recipe."""
    kind: str
    label: str
    description: str
    needed: bool = True
    """Whether nothing works without its weights; a copy of Maquette may lack others."""


CATALOG = {
    row.name: row
    for row in (
        Network(
            "image_to_field",
            "reconstruct",
            "Photo to shape",
            "Occupancy, distance and colour from a photo of an object",
        ),
        Network(
            "refiner",
            "detail",
            "Detail",
            "What a photo shows of a shape's surface that its field is too coarse for",
            needed=False,
        ),
        Network(
            "sides",
            "sides",
            "Sides of pictures",
            "From which sides an object's pictures were taken",
            needed=False,
        ),
        Network(
            "matting",
            "mask",
            "Background removal",
            "Which part of a photo is the object, before any background",
            needed=False,
        ),
        Network(
            "shape_vae",
            "sampler",
            "Shapes",
            "Chairs, lamps, vessels and more behind named sliders",
            needed=False,
        ),
        Network(
            "head_vae",
            "sampler",
            "Heads",
            "Faces and heads of clean quads with UVs, identity and expression behind named sliders",
            needed=False,
        ),
        Network(
            "shape_class",
            "classifier",
            "Object class",
            "What an object is called",
            needed=False,
        ),
        Network(
            "shape_gan",
            "sampler",
            "Shapes (GAN)",
            "The same kinds of objects, drawn by a network that was trained against a critic",
            needed=False,
        ),
    )
}


def weights_path(name: str) -> Path:
    return WEIGHTS / f"{CATALOG[name].name}.safetensors"


def bundled(name: str) -> bool:
    """Whether there is anything of this network's weights, whole or not."""
    path = weights_path(name)
    return path.exists() or path.with_suffix(".json").exists()


def card(name: str) -> dict:
    """The model card: config, level, sha256, bytes, licence, training, metrics. Raises ValueError with a sentence."""
    path = weights_path(name).with_suffix(".json")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{path.name} is missing from Maquette's folder; install the extension again") from None
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{path.name} in Maquette's folder cannot be read ({error}); install the extension again"
        ) from None
    if not isinstance(found, dict) or not {"config", "sha256"} <= set(found):
        raise ValueError(f"{path.name} in Maquette's folder is not a model card; install the extension again")
    return found


def sliders(about: dict) -> dict[str, list[dict]]:
    """Of a sampler's card: the sliders of each family, as nets.latents.Slider has them."""
    return {row["name"]: row["sliders"] for row in about.get("families", [])}


def describe() -> list[dict]:
    """What `maquette models --json` lists: name, kind, label, sha256, bytes, licence, metrics; of samplers also
    families (their names) and sliders (family, name, unit, minimum, maximum, default, r2).

    A network that is not needed and not bundled has None for sha256 to metrics."""
    rows = []
    for network in CATALOG.values():
        about = card(network.name) if network.needed or bundled(network.name) else {}
        kept = {key: about.get(key) for key in ("sha256", "bytes", "licence", "metrics")}
        rows.append({"name": network.name, "kind": network.kind, "label": network.label, **kept})
        if network.kind == "sampler":
            known = sliders(about)
            rows[-1]["families"] = list(known)
            rows[-1]["sliders"] = [{"family": name, **slider} for name, its in known.items() for slider in its]
    return rows
