"""`maquette sample`: shapes out of a latent space, by seed, slider, mesh, photo or preset."""

import dataclasses
import os
import sys

from ..jobs import requests, sampling
from .shared import (
    Failed,
    check_folders,
    check_mesh_path,
    command_of,
    make,
    make_folder,
    meshing_options,
    result_options,
    write_report,
)


def options(verbs):
    one = command_of(verbs, sample, "shapes out of a network's latent space -> meshes")
    one.add_argument("model", metavar="MODEL", help="a sampler of `maquette models`, such as shape_vae")
    one.add_argument("-o", "--output", required=True, metavar="OUT", help="mesh file; a folder for several shapes")
    one.add_argument("--family", default="", metavar="NAME", help="kind of object (the model's first)")
    one.add_argument("--seed", type=int, default=0, metavar="N", help="which shape is drawn (0)")
    one.add_argument("--count", type=int, default=1, metavar="N", help="so many shapes, seeds counting up (1)")
    one.add_argument("--format", choices=requests.FORMATS, help="ending of several meshes (glb)")
    one.add_argument(
        "--truncation",
        type=float,
        default=sampling.TRUNCATION,
        metavar="F",
        help="0: the mean shape, 1: as varied (0.7)",
    )
    one.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="move a slider, in its own unit")
    one.add_argument("--vary", type=int, metavar="SEED", help="a shape nearby; with --count several")
    one.add_argument("--amount", type=float, default=0.3, metavar="F", help="how far --vary goes (0.3)")
    one.add_argument("--between", nargs=2, metavar=("A", "B"), help="interpolate: seeds, presets (.json) or mesh files")
    one.add_argument("--steps", type=int, metavar="N", help="so many shapes from A to B, both among them")
    one.add_argument("--factor", type=float, metavar="F", help="one shape between: 0 is A, 1 is B")
    one.add_argument("--encode", metavar="MESH", help="begin with the shape most like this mesh")
    one.add_argument("--fit", metavar="IMAGE", help="begin with the shape whose outline is most like this photo's")
    one.add_argument("--mask", default="", metavar="M.png", help="of --fit: bright where the object is")
    one.add_argument("--preset", metavar="FILE", help="begin with a shape that --save-preset kept")
    one.add_argument("--save-preset", metavar="FILE", help="keep seed, sliders and latent as JSON")
    one.add_argument("--resolution", type=int, choices=sampling.RESOLUTIONS, default=64, help="of the field (64)")
    meshing_options(one)
    one.set_defaults(smoothing=0)
    one.add_argument("--save-field", metavar="F.npz", default="", help="keep the field, for `maquette remesh`")
    result_options(one)
    one.add_argument("--device", choices=requests.DEVICES, help="what the network runs on (auto)")


def sample(run) -> int:
    arguments = run.arguments
    check_usage(arguments)
    meshing = run.meshing()
    several = arguments.count > 1 or (arguments.between and arguments.factor is None)
    if several:
        folders = [make_folder(path) for path in (arguments.output, arguments.save_field, arguments.preview)]
    else:
        check_mesh_path(run, arguments.output)
        check_folders(arguments.save_field, arguments.preview)
    check_folders(arguments.report, arguments.save_preset)
    shapes = between(run) if arguments.between else around(run)
    if arguments.save_preset:
        keep_preset(run, shapes[0][1])
    items = []
    for stem, place in shapes:
        output, field, preview = arguments.output, arguments.save_field, arguments.preview
        if several:
            output, field, preview = (
                os.path.join(folder, f"{stem}.{ending}") if folder else ""
                for folder, ending in zip(folders, (arguments.format or "glb", "npz", "png"), strict=True)
            )
        settings = {"resolution": arguments.resolution, "meshing": meshing, "device": run.device}
        request = run.request(requests.Sample, arguments.model, **place, **settings, preview=preview, save_field=field)
        items.append(make(run, request, output))
    write_report(arguments.report, {"items": items} if several else items[0])
    return 0


def check_usage(arguments):
    """Options that do not go together are wrong usage."""
    starts = [f"--{name}" for name in ("preset", "encode", "fit", "between") if getattr(arguments, name)]
    if len(starts) > 1:
        arguments.error(f"{starts[0]} and {starts[1]} both say where to begin; give one of them")
    if arguments.count < 1:
        arguments.error(f"--count is {arguments.count}; it must be 1 or more")
    if arguments.mask and not arguments.fit:
        arguments.error("--mask goes with --fit")
    if arguments.between:
        if arguments.count > 1 or arguments.vary is not None:
            arguments.error("--count and --vary do not go with --between")
        if arguments.save_preset and arguments.factor is None:
            arguments.error("--save-preset keeps one shape between A and B: name it with --factor")
        if (arguments.steps is None) == (arguments.factor is None):
            arguments.error("--between needs either --steps or --factor")
        if arguments.steps is not None and arguments.steps < 2:
            arguments.error(f"--steps is {arguments.steps}; A and B alone are 2")
    elif arguments.steps is not None or arguments.factor is not None:
        arguments.error("--steps and --factor go with --between")
    if starts and arguments.count > 1 and arguments.vary is None:
        arguments.error(f"{starts[0]} gives one shape; for several around it add --vary")


def around(run) -> list[tuple[str, dict]]:
    """File stems and request fields of the shapes about one place: seeds or variations counting up."""
    arguments = run.arguments
    begun = beginning(run)
    way = {"other": begun.other, "factor": begun.factor} if begun.other else {}
    start = dataclasses.replace(begun.point, **moved(run))
    shapes = []
    for number in range(arguments.count):
        changes, stem = {}, f"{arguments.model}-{start.seed}"
        if arguments.vary is not None:
            changes = {"variation": arguments.vary + number, "amount": arguments.amount}
            stem = f"{stem}-{arguments.vary + number}"
        elif arguments.count > 1:
            changes = {"seed": start.seed + number}
            stem = f"{arguments.model}-{start.seed + number}"
        shapes.append((stem, {"point": point(run, start, **changes), **way}))
    return shapes


def between(run) -> list[tuple[str, dict]]:
    """The shapes from A to B."""
    arguments = run.arguments
    ends = [dataclasses.replace(end(run, text), **moved(run)) for text in arguments.between]
    if arguments.factor is not None:
        factors = [arguments.factor]
    else:
        factors = [number / (arguments.steps - 1) for number in range(arguments.steps)]
    name = "-".join([arguments.model, *(os.path.splitext(os.path.basename(text))[0] for text in arguments.between)])
    return [
        (f"{name}-{number}", {"point": ends[0], "other": ends[1], "factor": factor})
        for number, factor in enumerate(factors)
    ]


def beginning(run) -> requests.Sample:
    """Where --preset, --encode, --fit or the seed say; presets may be on the way between two shapes."""
    arguments = run.arguments
    if arguments.preset:
        return preset(run, arguments.preset)
    if arguments.encode:
        place = found(run, requests.Encode, path=arguments.encode)
    elif arguments.fit:
        place = found(run, requests.Fit, image=arguments.fit, mask=arguments.mask)
    else:
        drawn = {"family": arguments.family, "seed": arguments.seed, "truncation": arguments.truncation}
        place = run.request(requests.Point, **drawn)
    return run.request(requests.Sample, arguments.model, place)


def end(run, text: str) -> requests.Point:
    """One of --between's: a seed, a preset or a mesh."""
    arguments = run.arguments
    if text.isdigit():
        return run.request(requests.Point, arguments.family, int(text), arguments.truncation)
    if text.lower().endswith(".json"):
        kept = preset(run, text)
        if kept.other:
            raise Failed(f"{os.path.basename(text)} is on the way between two shapes; --between takes presets of one")
        return kept.point
    return found(run, requests.Encode, path=text)


def preset(run, path: str) -> requests.Sample:
    arguments = run.arguments
    try:
        return sampling.read_preset(path, arguments.model, weights(arguments.model))
    except ValueError as error:
        raise Failed(str(error)) from error


def keep_preset(run, place: dict):
    arguments = run.arguments
    try:
        sample = requests.Sample(arguments.model, **place)
        sampling.write_preset(arguments.save_preset, weights(arguments.model), sample)
    except ValueError as error:
        raise Failed(str(error)) from error


def weights(model: str) -> str:
    """sha256 of a model's weights. Raises ValueError where there is no such sampler."""
    from ..nets import catalog

    if model not in catalog.CATALOG or catalog.CATALOG[model].kind != "sampler":
        names = [row.name for row in catalog.CATALOG.values() if row.kind == "sampler"]
        raise ValueError(f"There is no sampler {model!r}; there is {', '.join(names)}")
    return catalog.card(model)["sha256"]


def found(run, kind, **what) -> requests.Point:
    """Ask the worker where in latent space a mesh or a photo lies, and say how like it the shape there is."""
    arguments = run.arguments
    asked = run.request(kind, model=arguments.model, family=arguments.family, device=run.device, **what)
    answer = run.ask(asked)
    report = answer.report
    note = f" ({report['note']})" if report.get("note") else ""
    name = os.path.basename(next(iter(what.values())))
    print(f"{name}: {report['family']}, IoU {report['iou']:.2f} in {report['seconds']:.1f} s{note}", file=sys.stderr)
    return answer.point


def moved(run) -> dict:
    """The point's fields that --set gives."""
    values = {}
    for text in run.arguments.set:
        name, equals, value = text.rpartition("=")
        try:
            values[name.strip().replace("_", " ")] = float(value)
        except ValueError:
            equals = ""
        if not equals or not name.strip():
            run.arguments.error(f"--set is {text!r}: a slider's name, = and a number, such as 'seat height=45'")
    return {"sliders": values} if values else {}


def point(run, start: requests.Point, **changes) -> requests.Point:
    try:
        return dataclasses.replace(start, **changes)
    except ValueError as error:
        return run.arguments.error(str(error))
