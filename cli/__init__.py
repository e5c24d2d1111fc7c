"""The command line: `maquette ...`, `python -m maquette ...` and `blender --command maquette ...` alike.

Exit 0: done; 1: failed, with one plain line on stderr; 2: wrong usage. The work is done by the worker, as in Blender.
"""

import argparse
import json
import os
import sys

from .. import __version__
from ..jobs import environment, requests
from ..jobs.client import JobError
from . import capturing, sampling
from .shared import (
    OUTPUT,
    Failed,
    Run,
    check_folders,
    check_mesh_path,
    check_takes_texture,
    command_of,
    make,
    make_folder,
    meshing_options,
    number,
    pictures,
    result_options,
    stems,
    write_report,
)


def main(argv=None, *, python: str = "", device: str = "", user_folder: str = "") -> int:
    """Run one command; returns the exit code.

    python, device, user_folder: what Blender's preferences say, when this is `blender --command maquette`."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a file's name must not end the command because a terminal cannot show it
            stream.reconfigure(errors="backslashreplace")
    try:
        arguments = parser().parse_args(argv)
        run = Run(arguments, python, device, user_folder)
        return arguments.verb(run) or 0
    except SystemExit as usage:  # argparse has said why
        return usage.code if isinstance(usage.code, int) else 2
    except (Failed, JobError, environment.NoEnvironment) as error:
        print(f"maquette: {error}", file=sys.stderr)
        if getattr(error, "log", "") and arguments.verbose:
            print(error.log, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("maquette: cancelled", file=sys.stderr)
        return 1


# --- the grammar ----------------------------------------------------------------------------------------------------


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = argparse.ArgumentParser(prog="maquette", description="Photos to coloured meshes, offline.")
    top.add_argument("--version", action="version", version=f"maquette {__version__}")
    verbs = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    one = command_of(verbs, reconstruct, "pictures of an object -> a coloured mesh")
    one.add_argument(
        "images", nargs="+", metavar="IMAGE", help="pictures of one object; with --each of one each, also a folder"
    )
    one.add_argument("-o", "--output", required=True, metavar="OUT", help=f"{OUTPUT}; with --each a folder")
    one.add_argument("--each", action="store_true", help="every picture is an object of its own")
    one.add_argument("--format", choices=requests.FORMATS, help="ending of the meshes of --each (glb)")
    one.add_argument("--elevation", type=number, metavar="auto|DEGREES", help="the camera looks down by this (auto)")
    one.add_argument(
        "--depth", type=number, metavar="auto|F", help="longest side over larger side in the picture (auto)"
    )
    one.add_argument("--symmetry", action="store_true", help="the object's halves mirror each other")
    one.add_argument(
        "--turns",
        metavar="auto|right|left|DEG,...",
        default="auto",
        help="where several pictures were taken: degrees round the object to the right of the first, 0,90,180; "
        "right or left: evenly all round; auto: searched for (auto)",
    )
    one.add_argument(
        "--cameras",
        metavar="FILE",
        default="",
        help="transforms.json, or folder with one, that knows their cameras; the mesh lies where these see it",
    )
    one.add_argument(
        "--mask", metavar="M.png", action="append", help="bright where the object is; for several pictures, one each"
    )
    one.add_argument("--resolution", type=int, choices=requests.RESOLUTIONS, default=128, help="of the field (128)")
    meshing_options(one)
    texture = "UVs and a texture of N x N pixels of the pictures, in place of colours alone (0: none)"
    one.add_argument("--texture", type=int, default=0, metavar="N", help=texture)
    one.add_argument("--save-field", metavar="F.npz", default="", help="keep the field, for `maquette remesh`")
    result_options(one)
    one.add_argument("--device", choices=requests.DEVICES, help="what the network runs on (auto)")

    capturing.options(verbs)
    sampling.options(verbs)

    two = command_of(verbs, remesh, "a kept field -> a mesh with other settings; runs no network")
    two.add_argument("field", metavar="FIELD.npz", help="field from --save-field, or its key in the cache")
    two.add_argument("-o", "--output", required=True, metavar="OUT", help=OUTPUT)
    meshing_options(two)
    result_options(two)

    three = command_of(verbs, models, "the networks and what they score")
    three.add_argument("--json", action="store_true", help="for programs")

    four = command_of(verbs, doctor, "what runs here: devices, a real kernel on each, versions, folders")
    four.add_argument("--json", action="store_true", help="for programs")
    four.add_argument("--device", choices=requests.DEVICES, help="try only this one")
    return top


# --- the commands ---------------------------------------------------------------------------------------------------


def reconstruct(run: Run) -> int:
    arguments = run.arguments
    if arguments.each:
        return reconstruct_each(run)
    if arguments.format:
        arguments.error("--format goes with --each; otherwise the ending of -o decides")
    meshing, view = run.meshing(), run.view()
    check_mesh_path(run, arguments.output)
    if arguments.texture:
        check_takes_texture(arguments, arguments.output)
    check_folders(arguments.save_field, arguments.preview, arguments.report)
    request = run.request(
        requests.Reconstruct,
        images=tuple(arguments.images),
        texture=arguments.texture,
        resolution=arguments.resolution,
        view=view,
        turns=turns(arguments),
        poses=arguments.cameras,
        **masks(arguments),
        meshing=meshing,
        device=run.device,
        preview=arguments.preview,
        save_field=arguments.save_field,
    )
    item = make(run, request, arguments.output)
    write_report(arguments.report, item)
    return 0


def turns(arguments) -> tuple:
    """Of each picture, in degrees; () where they are searched for, or known from cameras."""
    if arguments.turns == "auto":
        return ()
    if arguments.turns in ("right", "left"):
        return requests.even_turns(len(arguments.images), arguments.turns)
    try:
        return tuple(number(part) for part in arguments.turns.split(","))
    except ValueError:
        return arguments.error(f"--turns is {arguments.turns!r}: auto, right, left, or degrees such as 0,90,180")


def masks(arguments) -> dict:
    """The request's fields: one mask of one picture, or one for each of several."""
    given = tuple(arguments.mask or ())
    return {"mask": given[0]} if len(arguments.images) == len(given) == 1 else {"masks": given}


def reconstruct_each(run: Run) -> int:
    """Every picture on its own; a bad one is reported and the rest go on."""
    arguments, meshing, view = run.arguments, run.meshing(), run.view()
    if arguments.mask:
        arguments.error("--mask is of one picture; it does not go with --each")
    if arguments.turns != "auto" or arguments.cameras:
        arguments.error("--turns and --cameras are of pictures of one object; they do not go with --each")
    if arguments.texture:
        check_takes_texture(arguments, f"each.{arguments.format or 'glb'}")
    check_folders(arguments.report)
    folders = [make_folder(path) for path in (arguments.output, arguments.save_field, arguments.preview)]
    images = pictures(arguments.images)
    items = []
    for image, stem in zip(images, stems(images), strict=True):
        output, field, preview = (
            os.path.join(folder, f"{stem}.{ending}") if folder else ""
            for folder, ending in zip(folders, (arguments.format or "glb", "npz", "png"), strict=True)
        )
        settings = {"resolution": arguments.resolution, "view": view, "meshing": meshing, "device": run.device}
        settings["texture"] = arguments.texture
        request = run.request(requests.Reconstruct, (image,), **settings, preview=preview, save_field=field)
        try:
            items.append(make(run, request, output))
        except JobError as error:
            named = "" if os.path.basename(image) in str(error) else f"{image}: "
            print(f"maquette: {named}{error}", file=sys.stderr)
            items.append({"images": [image], "error": str(error)})
        except KeyboardInterrupt:
            write_report(arguments.report, {"items": items})
            done = sum("error" not in item for item in items)
            raise Failed(f"cancelled: {done} of {len(images)} were finished and are kept") from None
    write_report(arguments.report, {"items": items})
    return 1 if any("error" in item for item in items) else 0


def remesh(run: Run) -> int:
    arguments = run.arguments
    meshing = run.meshing()
    check_mesh_path(run, arguments.output)
    check_folders(arguments.preview, arguments.report)
    request = run.request(requests.Remesh, arguments.field, meshing, preview=arguments.preview)
    write_report(arguments.report, make(run, request, arguments.output))
    return 0


def models(run: Run) -> int:
    from ..nets import catalog

    try:
        rows = catalog.describe()
    except ValueError as error:
        raise Failed(str(error)) from error
    if run.arguments.json:
        print(json.dumps(rows, indent=2))
        return 0
    for row in rows:
        size, start = f"{(row['bytes'] or 0) / 2**20:.1f} MiB", (row["sha256"] or "no weights")[:12]
        print(f"{row['name']:<20}{row['kind']:<14}{size:>10}  {start}")
        for name, value in (row["metrics"] or {}).items():
            scores = ", ".join(f"{key} {score}" for key, score in value.items()) if isinstance(value, dict) else value
            print(f"    {name}: {scores}")
    return 0


def doctor(run: Run) -> int:
    try:
        diagnosis = run.ask(requests.Doctor(run.device))
    except (JobError, environment.NoEnvironment) as error:
        if not run.arguments.json:
            raise
        print(json.dumps({"ok": False, "device": "none", "error": str(error)}, indent=2))
        return 1
    if run.arguments.json:
        answer = {"ok": diagnosis.ok, "device": diagnosis.device} | diagnosis.report
        print(json.dumps(answer, indent=2))
    else:
        print("\n".join(diagnosis.lines()))
    return 0 if diagnosis.ok else 1
