"""`python -m maquette.train COMMAND`: a network to train, or shards, preview, export, evaluate, benchmark."""

from __future__ import annotations

import argparse
import importlib
import os
import sys

if "OMP_WAIT_POLICY" not in os.environ:  # before torch: threads that spin at length crawl beside other work
    os.environ.update({"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "2000"} | os.environ)

NETWORKS = ("image_to_field", "refiner", "sides", "matting", "shape_vae", "head_vae", "shape_gan", "shape_class")
COMMANDS = {
    "shards": "make a cache of samples, procedural or of your meshes, for training on CPUs",
    "preview": "write a contact sheet of the procedural world",
    "export": "write a run's averaged weights as safetensors with their card",
    "evaluate": "score a network beside its baselines",
    "benchmark": "time what users wait for",
}


def main(argv: list[str] | None = None) -> int:
    argv = sys.argv[1:] if argv is None else argv
    if not argv or argv[0] in ("-h", "--help"):
        print(__doc__, "\n")
        for name, text in {**{n: f"train {n}" for n in NETWORKS}, **COMMANDS}.items():
            print(f"  {name:16} {text}")
        return 0
    name, rest = argv[0], argv[1:]
    try:
        if name in NETWORKS:
            from .loop import train
            from .recipes.base import parse

            recipe = importlib.import_module(f"{__package__}.recipes.{name}")
            print(train(recipe, parse(recipe.Recipe, rest, f"maquette.train {name}")))
            return 0
        if name in ("shards", "preview"):
            return {"shards": shards, "preview": preview}[name](rest)
        module = {"export": ".export", "evaluate": ".evaluate.command", "benchmark": ".benchmarks.command"}.get(name)
        if module is None:
            print(f"There is no command {name!r}; see python -m maquette.train --help", file=sys.stderr)
            return 2
        return importlib.import_module(module, __package__).main(rest) or 0
    except (ValueError, RuntimeError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


def shards(argv: list[str]) -> int:
    """Several makers may run side by side: give each its own --start with the same --step."""
    from .shapes.shards import SHARD, write_shards
    from .shapes.skies import SHARE, Skies
    from .shapes.skies import read as read_skies
    from .shapes.world import FAMILIES

    parser = argparse.ArgumentParser(prog="maquette.train shards", description=shards.__doc__)
    parser.add_argument("--folder", default="runs/shards")
    parser.add_argument("--split", default="train", choices=("train", "validation", "test", "library"))
    parser.add_argument("--count", type=int, default=200, help=f"shards of {SHARD} procedural samples")
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--meshes", metavar="FOLDER", help="samples of these meshes, not of procedural shapes")
    parser.add_argument(
        "--views",
        type=int,
        help="pictures of each object (8 of a mesh, 1 of a procedural shape); several of procedural shapes go to "
        "SPLIT_views, for training on several views",
    )
    parser.add_argument("--closer", action="store_true", help="to SPLIT_closer, for training the refiner")
    parser.add_argument(
        "--families",
        nargs="+",
        metavar="NAME",
        choices=sorted(FAMILIES),
        help=f"draw these procedural families alone, for more of them: {', '.join(sorted(FAMILIES))}",
    )
    parser.add_argument("--up", default="z", choices=("y", "z"), help="of .obj .ply .off .stl (z); glTF says its own")
    parser.add_argument(
        "--without",
        metavar="LIST",
        nargs="+",
        default=(),
        help="file names, one a line: no mesh whose name begins with the same word is read",
    )
    parser.add_argument("--faces", metavar="FOLDER", help="with --heads: samples of people, of ICT FaceKit")
    parser.add_argument("--heads", metavar="FOLDER", help="with --faces: and of mpfb2, heads and bodies")
    parser.add_argument("--skies", metavar="FILE", help=".npz of linear panoramas (H, W, 3) that light some pictures")
    parser.add_argument(
        "--sky-share", type=float, help=f"of the pictures that a sky lights and not a lamp ({SHARE} in train, else 0)"
    )
    args = parser.parse_args(argv)
    out = f"{args.folder}/{args.split}"
    share = args.sky_share if args.sky_share is not None else SHARE if args.split == "train" else 0.0
    if not 0 <= share <= 1:
        raise ValueError(f"--sky-share is a share of the pictures, from 0 to 1, not {share:g}")
    skies = Skies(share, read_skies(args.skies)) if args.skies else Skies(share)
    if bool(args.faces) != bool(args.heads):
        raise ValueError("people want both --faces, a folder of ICT FaceKit, and --heads, one of mpfb2")
    if args.faces:
        from .readers.shards import write_people_shards

        pace = {"minutes": args.minutes, "start": args.start, "stop": args.count, "step": args.step, "skies": skies}
        made = write_people_shards(args.faces, args.heads, out, args.split, **pace)
        print(f"{made} shards of people written under {out}")
        return 0
    if args.meshes:
        from .readers.meshes import held_out
        from .readers.shards import write_mesh_shards

        without = {kind for listed in args.without for kind in held_out(listed)}
        pace = {"minutes": args.minutes, "start": args.start, "step": args.step, "skies": skies, "without": without}
        made, samples = write_mesh_shards(args.meshes, out, args.split, args.views or 8, args.up, **pace)
        print(f"{made} shards of {samples} samples of meshes written under {out}")
        return 0
    views = args.views or 1
    if args.closer and views > 1:
        raise ValueError("--closer wants one picture of each object; leave --views out")
    out += "_closer" if args.closer else "_views" if views > 1 else ""
    pace = {"minutes": args.minutes, "step": args.step, "skies": skies, "families": args.families}
    made = write_shards(out, args.split, args.start, args.count, views=views, closer=args.closer, **pace)
    print(f"{made} shards written under {out}")
    return 0


def preview(argv: list[str]) -> int:
    from .shapes.preview import main as draw

    return draw(argv)


if __name__ == "__main__":
    sys.exit(main())
