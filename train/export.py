"""A run's averaged weights -> nets/weights/NAME.safetensors and its card."""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import platform
from datetime import date
from pathlib import Path

import torch
from safetensors.torch import save_file

from ..nets import catalog, checkpoint

LARGEST = 16 * 1024 * 1024


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="maquette.train export", description=__doc__)
    parser.add_argument("name", choices=sorted(catalog.CATALOG))
    parser.add_argument("--run", default="", help="folder with last.pt; runs/NAME by default")
    parser.add_argument("--out", default="", help="folder to write to; the bundled one by default")
    parser.add_argument(
        "--level",
        type=float,
        default=None,
        help="occupancy at the surface, or probability at a mask's edge (chosen on validation shapes)",
    )
    parser.add_argument("--metrics", default="", help="JSON file of scores for the card")
    parser.add_argument("--hardware", default="", help="what it was trained on, for the card")
    args = parser.parse_args(argv)
    export(args.name, Path(args.run or f"runs/{args.name}"), Path(args.out or catalog.WEIGHTS), args)
    return 0


def export(name: str, run: Path, folder: Path, args) -> Path:
    """Half precision, at most 16 MiB. Raises ValueError when there is no checkpoint or the file would be larger."""
    last = run / "last.pt"
    if not last.exists():
        raise ValueError(f"{last} does not exist; train first: python -m maquette.train {name}")
    stored = torch.load(last, map_location="cpu", weights_only=True)
    recipe = importlib.import_module(f".recipes.{name}", __package__)
    config = recipe.config(stored["recipe"])
    averaged, more = stored["averaged"], {}
    if hasattr(recipe, "finish"):  # what is measured on the trained weights: sliders
        averaged, more = recipe.finish(averaged, stored["recipe"])
    tensors = {k: (v.half() if v.is_floating_point() else v).contiguous() for k, v in averaged.items()}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.safetensors"
    save_file(tensors, path)
    path.chmod(0o644)  # safetensors makes files that only their owner reads
    data = path.read_bytes()
    if len(data) > LARGEST:
        path.unlink()
        raise ValueError(f"{path.name} would be {len(data)} bytes; at most {LARGEST} may ship")
    state = stored["state"]
    # Where the trainer's own folders lay is nobody's business and helps nobody to train it again.
    private = {"run", "shards", "start", "other_data", *getattr(recipe, "PRIVATE", ())}
    settings = {key: value for key, value in stored["recipe"].items() if key not in private}
    card = {
        "name": name,
        "kind": catalog.CATALOG[name].kind,
        "label": catalog.CATALOG[name].label,
        "config": config,
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "parameters": sum(p.numel() for p in checkpoint.build(name, config).parameters()),
        "licence": "GPL-3.0-or-later",
        "data": recipe.data(stored["recipe"]),
        "training": {
            "recipe": settings,
            "steps": state["step"],
            "samples": state["samples"],
            "minutes": round(state["seconds"] / 60, 1),
            "hardware": args.hardware or platform.processor() or platform.machine(),
            "torch": torch.__version__,
            "date": date.today().isoformat(),
        },
        "metrics": json.loads(Path(args.metrics).read_text()) if args.metrics else {},
    }
    card |= more
    if args.level is not None:
        card["level"] = args.level
    path.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    print(f"{path}: {len(data) / 2**20:.1f} MiB, {state['samples']} samples in {state['seconds'] / 60:.0f} minutes")
    return path
