"""`maquette capture`, `texture` and `look`: photos all round an object, and what is to be said of them."""

import json
import time

from ..jobs import requests
from ..jobs.capturing import CAPTURE_RESOLUTIONS, METHODS, UNSEEN, UPS
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
    result_options,
    write_report,
)


def options(verbs):
    one = command_of(verbs, capture, "a folder of photos of one object -> a coloured mesh in the cameras' own frame")
    one.add_argument("folder", metavar="FOLDER", help="photos with cameras: transforms.json, or a COLMAP model")
    one.add_argument("-o", "--output", required=True, metavar="OUT", help=OUTPUT)
    one.add_argument("--budget", type=float, default=180.0, metavar="SECONDS", help="time to fit the photos (180)")
    one.add_argument("--steps", type=int, default=0, metavar="N", help="fit so many steps instead (0: by the budget)")
    one.add_argument(
        "--resolution", type=int, choices=CAPTURE_RESOLUTIONS, default=192, help="cells along the box (192)"
    )
    one.add_argument("--holdout", type=int, default=0, metavar="K", help="keep every Kth photo for scores (0: none)")
    one.add_argument("--renders", metavar="DIR", default="", help="write each held-out view as DIR/<image stem>.png")
    method = "a density, closest to photos that are cut out, or a surface, smoother (auto: as the photos are)"
    one.add_argument("--method", choices=METHODS, default="auto", help=method)
    unseen = "parts that no photo shows: close the mesh over them, or leave them out (close)"
    one.add_argument("--unseen", choices=UNSEEN, default="close", help=unseen)
    up = "leave it in the cameras' frame, or turn it upright: by how they were held, or by what it stands on (keep)"
    one.add_argument("--up", choices=UPS, default="keep", help=up)
    one.add_argument(
        "--box",
        metavar="CX,CY,CZ,SX,SY,SZ",
        default="",
        help="centre and size of what is wanted, in the cameras' frame (it is found)",
    )
    one.add_argument("--texture", type=int, default=0, metavar="N", help="UVs and a texture of N x N pixels (0: none)")
    one.add_argument("--resume", action="store_true", help="go on from where the last capture of FOLDER stopped")
    one.add_argument("--seed", type=int, default=0, metavar="N", help="of all that is drawn at random (0)")
    one.add_argument("--device", choices=requests.DEVICES, help="what the field is fitted on (auto)")
    meshing_options(one)
    one.add_argument("--save-field", metavar="F.npz", default="", help="keep the field, for `maquette remesh`")
    result_options(one)

    three = command_of(verbs, texture, "a mesh and the photos that show it -> the mesh with UVs and a texture")
    three.add_argument("mesh", metavar="MESH", help="mesh in the frame of the cameras, as capture made it")
    three.add_argument("photos", metavar="PHOTOS", help="the folder that was captured, or the report of its capture")
    three.add_argument("-o", "--output", required=True, metavar="OUT", help="OUT.glb or .obj")
    three.add_argument("--size", type=int, default=2048, metavar="N", help="pixels along the texture's side (2048)")
    three.add_argument("--folder", default="", metavar="DIR", help="where photos of a report are that were moved")
    three.add_argument("--report", metavar="R.json", default="", help="write seconds, faces, texture, bounds ...")

    two = command_of(verbs, look, "what a folder of photos holds for capture: photos, cameras, masks, what is left out")
    two.add_argument("folder", metavar="FOLDER", help="photos, with cameras or without, or a video")
    two.add_argument("--find", action="store_true", help="find the cameras where nothing says them")
    two.add_argument("--json", action="store_true", help="for programs: cameras and box too")
    two.add_argument("--report", metavar="R.json", default="", help="write the same to a file")


def capture(run: Run) -> int:
    arguments = run.arguments
    meshing = run.meshing()
    check_mesh_path(run, arguments.output)
    check_folders(arguments.save_field, arguments.preview, arguments.report)
    if arguments.texture:
        check_takes_texture(arguments, arguments.output)
    names = ("budget", "steps", "resolution", "holdout", "seed", "method", "unseen", "up", "texture", "resume")
    settings = {name: getattr(arguments, name) for name in (*names, "renders", "preview", "save_field")}
    settings |= {"box": box(arguments), "device": run.device}
    request = run.request(requests.Capture, arguments.folder, meshing=meshing, **settings)
    make_folder(arguments.renders)
    write_report(arguments.report, make(run, request, arguments.output))
    return 0


def box(arguments) -> tuple:
    """The six numbers of --box, () for none."""
    try:
        return tuple(float(part) for part in arguments.box.split(",")) if arguments.box else ()
    except ValueError:
        return arguments.error(f"--box is {arguments.box!r}: six numbers, such as 0,0,1,2,2,3")


def texture(run: Run) -> int:
    arguments = run.arguments
    check_takes_texture(arguments, arguments.output)
    check_mesh_path(run, arguments.output)
    check_folders(arguments.report)
    known = {"folder": arguments.photos}
    if arguments.photos.lower().endswith(".json"):
        known = {"cameras": cameras(arguments.photos), "folder": arguments.folder}
    elif arguments.folder:
        arguments.error("--folder goes with a report: where the photos are now that it names")
    request = run.request(requests.Texture, path=arguments.mesh, size=arguments.size, **known)
    write_report(arguments.report, make(run, request, arguments.output))
    return 0


def cameras(path: str) -> tuple:
    """Those of a report of `maquette capture`."""
    try:
        with open(path, encoding="utf-8") as stream:
            found = json.load(stream)["cameras"]
    except OSError as error:
        raise Failed(f"The report {path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Failed(f"{path} is no report of a capture: it names no cameras") from None
    if not isinstance(found, list) or not found:
        raise Failed(f"{path} is no report of a capture: it names no cameras")
    return tuple(found)


def look(run: Run) -> int:
    arguments, start = run.arguments, time.perf_counter()
    check_folders(arguments.report)
    found = run.ask(run.request(requests.Look, arguments.folder, find=arguments.find))
    names = ("photos", "source", "video", "masks", "held_out", "size", "notes")
    told = {name: getattr(found, name) for name in names} | {"seconds": time.perf_counter() - start} | found.report
    told["points"] = 0 if found.points is None else len(found.points)
    lines = "\n".join([*found.lines(), *found.notes])
    print(json.dumps(told, indent=2, ensure_ascii=False) if arguments.json else lines)
    write_report(arguments.report, told)
    return 0
