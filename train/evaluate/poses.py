"""Cameras found from photos alone, beside those that the folder knows.

    python -m maquette.train evaluate poses FOLDER [FOLDER ...]

The photos of a folder that knows its cameras are copied to where nothing says them, and `maquette look --find` is
asked. The cameras found are brought onto the known ones before they are compared: by the rotation that their own
rotations agree on, then by the scale and shift that their places do; seconds are of the whole command, its start and
the reading of photos too.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from ...geometry.folder import read_poses

COLUMNS = {"photos": "", "found": "", "median rotation": ".3f", "worst": ".3f", "median place": ".2f", "seconds": ".0f"}


def main(argv=None):
    parser = argparse.ArgumentParser(prog="maquette.train evaluate poses", description=__doc__.split("\n")[0])
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    parser.add_argument("--most", type=int, default=0, metavar="N", help="photos of each folder at most (0: all)")
    options = parser.parse_args(argv)
    print("| scene | photos | found | rotation, median | worst | place, median % | seconds |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for folder in options.folders:
        row = measure(Path(folder), options.most)
        cells = " | ".join(format(row[name], form) for name, form in COLUMNS.items())
        print(f"| {Path(folder).name} | {cells} |", flush=True)


def measure(folder, most=0) -> dict:
    """Rotations in degrees, places in % of how far the known cameras reach from their middle."""
    views = read_poses(folder).views
    views = views[:: -(-len(views) // most)] if most else views
    with tempfile.TemporaryDirectory(prefix="maquette-poses-") as temporary:
        known = {}
        for number, view in enumerate(views):
            copy = Path(temporary) / f"{number:04}{view.path.suffix}"
            shutil.copyfile(view.path, copy)
            known[copy.stem] = view.camera
        told = asked(temporary)
    found = {row["name"]: np.array(row["matrix"]) for row in told["cameras"]}
    names = sorted(found)
    rotations, places = differences([found[name] for name in names], [known[name] for name in names])
    return {
        "photos": len(views),
        "found": len(names),
        "median rotation": np.median(rotations),
        "worst": rotations.max(),
        "median place": 100 * np.median(places),
        "seconds": told["seconds"],
    }


def asked(folder) -> dict:
    """What `maquette look --find` says. Raises ValueError with its sentence."""
    with tempfile.TemporaryDirectory(prefix="maquette-cache-") as cache:
        command = [sys.executable, "-m", "maquette", "look", str(folder), "--find", "--json"]
        environment = {**os.environ, "XDG_CACHE_HOME": cache, "LOCALAPPDATA": cache}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise ValueError(done.stderr.strip())
    return json.loads(done.stdout)


def differences(found, known):
    """Between cameras (N, 4, 4), camera to world, the found ones first brought onto the known by a similarity.

    -> rotations (N,) in degrees, and places (N,) as a share of how far the known cameras reach from their middle.
    """
    found, known = np.array(found), np.array(known)
    rotation = nearest_rotation((known[:, :3, :3] @ found[:, :3, :3].transpose(0, 2, 1)).sum(0))
    cosine = (np.einsum("nij,nij->n", rotation @ found[:, :3, :3], known[:, :3, :3]) - 1) / 2
    places, wanted = (from_middle(cameras[:, :3, 3]) for cameras in (found, known))
    places = places @ rotation.T
    scale = (places * wanted).sum() / np.square(places).sum()
    off = np.linalg.norm(scale * places - wanted, axis=1) / np.linalg.norm(wanted, axis=1).max()
    return np.degrees(np.arccos(np.clip(cosine, -1, 1))), off


def nearest_rotation(matrix):
    """The rotation nearest to a (3, 3) matrix: of a sum of rotations, their chordal mean (Hartley 2013)."""
    left, _, right = np.linalg.svd(matrix)
    return left @ np.diag([1, 1, np.sign(np.linalg.det(left @ right))]) @ right


def from_middle(places):
    return places - places.mean(0)
