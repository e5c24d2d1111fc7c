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
    parser.add_argument(
        "--with",
        dest="others",
        action="append",
        default=[],
        metavar="RUN",
        help="another run that went on from the same checkpoint: the mean of the weights of all is written",
    )
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
    stored = together([read(name, Path(one)) for one in (run, *args.others)])
    recipe = importlib.import_module(f".recipes.{name}", __package__)
    config, weights, more = recipe.config(stored["recipe"]), stored["averaged"], {}
    if hasattr(recipe, "finished"):  # what is fitted to the trained network: a sampler's sliders
        config, weights, more = recipe.finished(weights, stored["recipe"])
    tensors = {k: (v.half() if v.is_floating_point() else v).contiguous() for k, v in weights.items()}
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
        **more,
        "metrics": json.loads(Path(args.metrics).read_text()) if args.metrics else {},
    }
    if args.level is not None:
        card["level"] = args.level
    path.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    print(f"{path}: {len(data) / 2**20:.1f} MiB, {state['samples']} samples in {state['seconds'] / 60:.0f} minutes")
    return path


def read(name: str, run: Path) -> dict:
    """A run's last checkpoint."""
    last = run / "last.pt"
    if not last.exists():
        raise ValueError(f"{last} does not exist; train first: python -m maquette.train {name}")
    return torch.load(last, map_location="cpu", weights_only=True)


def together(runs: list[dict]) -> dict:
    """The first run with the mean of what all averaged, and the samples and minutes of all.

    Runs that part from one checkpoint stay near enough to one another for their mean to be as good as either, or
    better (Wortsman 2022, "Model soups", arXiv:2203.05482); it wants no word between them. Raises ValueError where
    their networks are not alike.
    """
    first, *others = runs
    sizes = [{name: tuple(value.shape) for name, value in run["averaged"].items()} for run in runs]
    if any(one != sizes[0] for one in sizes):
        raise ValueError("only runs of one network can be averaged, and these are of several")
    weights = {
        name: torch.stack([run["averaged"][name].double() for run in runs]).mean(0).to(value.dtype)
        if value.is_floating_point()
        else value
        for name, value in first["averaged"].items()
    }
    spent = {key: sum(run["state"][key] for run in runs) for key in ("samples", "seconds")}
    return first | {"averaged": weights, "state": first["state"] | spent}
