"""What the commands share: their common options, the worker that serves them, files and reports."""

import argparse
import contextlib
import json
import os
import sys

from ..jobs import client, environment, requests
from ..jobs.texturing import TEXTURED

OUTPUT = "OUT.glb, .ply, .obj or .stl"


class Failed(Exception):
    """Ends the command with one line on stderr and exit code 1."""


# --- options ---------------------------------------------------------------------------------------------------------


def command_of(verbs, function, text: str) -> argparse.ArgumentParser:
    command = verbs.add_parser(function.__name__, help=text, description=f"{text[0].upper()}{text[1:]}.")
    command.set_defaults(verb=function, error=command.error)
    command.add_argument("-v", "--verbose", action="store_true", help="when something fails, show the worker's log")
    return command


def meshing_options(command):
    command.add_argument("--level", type=number, metavar="auto|F", help="field's value at the surface (auto)")
    command.add_argument("--style", choices=requests.STYLES, default="smooth", help="smooth surface or blocks (smooth)")
    command.add_argument("--smoothing", type=int, default=2, metavar="N", help="smoothing passes (2)")
    command.add_argument("--faces", type=int, default=0, metavar="N", help="triangles at most (0: all)")
    command.add_argument("--islands", action="store_true", help="keep pieces that float apart")
    command.add_argument(
        "--size", type=number, metavar="auto|METRES", help="longest side (auto: 1; as known cameras saw it)"
    )


def result_options(command):
    command.add_argument("--preview", metavar="P.png", default="", help="draw the result")
    command.add_argument("--report", metavar="R.json", default="", help="write seconds, faces, watertight, bounds ...")


def number(text: str) -> float | None:
    return None if text == "auto" else float(text)


# --- one call --------------------------------------------------------------------------------------------------------


class Run:
    """The arguments of one call, and the worker that serves it."""

    def __init__(self, arguments, python: str, device: str, user_folder: str):
        self.arguments, self.python, self.user_folder = arguments, python, user_folder
        self.device = getattr(arguments, "device", None) or device or "auto"

    def ask(self, request):
        """The worker's answer, with progress on a terminal."""
        python = self.python or environment.find_python(user_folder=self.user_folder).python
        shown = show_progress if sys.stderr.isatty() else None
        try:
            enough = say_enough if getattr(request, "ENDS_EARLY", False) else None
            return client.worker(python=python).run(request, shown, enough)
        finally:
            if shown:
                print("\r\033[K", end="", file=sys.stderr, flush=True)

    def request(self, kind, *values, **settings):
        """A request made from the arguments; wrong values are wrong usage."""
        try:
            return kind(*values, **settings)
        except ValueError as error:
            self.arguments.error(str(error))

    def view(self) -> requests.View:
        return self.request(
            requests.View, *(getattr(self.arguments, name) for name in ("elevation", "depth", "symmetry"))
        )

    def meshing(self) -> requests.Meshing:
        names = ("level", "style", "smoothing", "faces", "islands", "size")
        return self.request(requests.Meshing, **{name: getattr(self.arguments, name) for name in names})


def say_enough():
    """At the first Ctrl-C of what can end early."""
    print("\nmaquette: ending with what there is by now; Ctrl-C once more cancels", file=sys.stderr, flush=True)


def make(run: Run, request, output: str) -> dict:
    """Run a request whose result is a Shape, save it, say so; returns its report."""
    shape = run.ask(request)
    run.ask(requests.export_of(shape, output))
    report = shape.report
    notes = [report[name] for name in ("note", "over_budget") if report.get(name)]
    note = f" ({'. '.join(notes)})" if notes else ""
    print(f"{output}: {report.get('faces', len(shape.faces))} faces in {report.get('seconds', 0):.2f} s{note}")
    images = {"images": list(request.images)} if hasattr(request, "images") else {}
    return {**images, "output": os.path.abspath(output), **report, "field": shape.field, "provenance": shape.provenance}


def check_mesh_path(run: Run, path: str):
    """Before a network runs for nothing."""
    ending = os.path.splitext(path)[1].lstrip(".").lower()
    if ending not in requests.FORMATS:
        run.arguments.error(f"{path} ends in none of .{', .'.join(requests.FORMATS)}")
    check_folders(path)


def check_takes_texture(arguments, path: str):
    """That a mesh file's ending is of a format that holds a texture."""
    ending = os.path.splitext(path)[1].lstrip(".").lower()
    if ending in requests.FORMATS and ending not in TEXTURED:
        arguments.error(f".{ending} holds no texture; write .{' or .'.join(TEXTURED)}")


def check_folders(*paths: str):
    """That each file could be written where it is wanted; "" is none."""
    for path in filter(None, paths):
        folder = os.path.dirname(os.path.abspath(path))
        if not os.path.isdir(folder):
            raise Failed(f"The folder {folder} does not exist, so {os.path.basename(path)} cannot be written there")
        if os.path.isdir(path):
            raise Failed(f"{path} is a folder; name a file in it")
        if not os.access(folder, os.W_OK):
            raise Failed(f"The folder {folder} cannot be written to; choose another for {os.path.basename(path)}")


def make_folder(path: str) -> str:
    """A folder for many results, made when its own parent is there; "" is none."""
    if path:
        try:
            with contextlib.suppress(FileExistsError):
                os.mkdir(path)
        except OSError as error:
            raise Failed(f"The folder {path} cannot be made: {error.strerror}") from error
        if not os.path.isdir(path):
            raise Failed(f"{path} is a file; with --each it names a folder")
        if not os.access(path, os.W_OK):
            raise Failed(f"The folder {path} cannot be written to")
    return path


def pictures(paths: list[str]) -> list[str]:
    """`paths` with each folder replaced by the pictures in it, by name."""
    found = []
    for path in paths:
        try:
            found += requests.pictures_in(path) if os.path.isdir(path) else [path]
        except ValueError as error:
            raise Failed(str(error)) from error
    return found


def stems(images: list[str]) -> list[str]:
    """The name of each result: the picture's, with -2, -3 ... where several pictures share it."""
    taken = set()
    names = []
    for image in images:
        stem = name = os.path.splitext(os.path.basename(image))[0]
        count = 1
        while name.lower() in taken:  # Windows and macOS do not tell case apart
            count += 1
            name = f"{stem}-{count}"
        taken.add(name.lower())
        names.append(name)
    return names


def write_report(path: str, report: dict):
    """JSON, whole or not at all; "" is none."""
    if not path:
        return
    part = f"{path}.part"
    try:
        # What UTF-8 cannot say, a name of raw bytes, becomes the escape that JSON has for it.
        with open(part, "w", encoding="utf-8", errors="backslashreplace") as stream:
            json.dump(report, stream, indent=2, ensure_ascii=False)
        os.replace(part, path)
    except OSError as error:
        raise Failed(f"The report {path} cannot be written: {error.strerror}") from error


def show_progress(fraction: float, phase: str, note: str):
    print(f"\r\033[K{fraction:4.0%} {phase}{': ' + note if note else ''}", end="", file=sys.stderr, flush=True)
