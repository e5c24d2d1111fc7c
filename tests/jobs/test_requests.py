"""Requests check themselves, and survive the wire."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from maquette.jobs import requests
from maquette.jobs.requests import (
    Capture,
    Diagnosis,
    Doctor,
    Export,
    Mask,
    Masked,
    Meshing,
    Reconstruct,
    Remesh,
    Shape,
    Texture,
    View,
    Written,
)

UVS = np.zeros((1, 3, 2), np.float32)
TRIANGLE = np.eye(3, dtype=np.float32), np.array([[0, 1, 2]], np.int32)
STRIP = np.eye(4, 3, dtype=np.float32), np.array([[0, 1, 2], [1, 2, 3]], np.int32)
ROWS = (
    {
        "name": "train/ä 1",
        "path": "/photos/train/ä 1.png",
        "matrix": np.eye(4).tolist(),
        "size": [640, 480],
        "focal": [500.5, 500],
        "centre": [320, 240],
        "distortion": [0, 0, 0.0, 0],
        "mask": "",
        "upright": False,
    },
)
MESSAGES = [
    Reconstruct(("/a.png", "/b c.png"), 32, Meshing(0.4, "blocks", 0, 500, True, 0.2), "cpu", "/p.png", "/f.npz", "/c"),
    Reconstruct("/a.png", view=View(12.5, 1.4, True), mask="/m.png"),
    Remesh("0" * 64, Meshing(smoothing=5), "/cache", "/preview.png"),
    Export("/Möbel/stuhl.glb", *TRIANGLE, np.ones((3, 3), np.float32)),
    Export("/a.ply", *TRIANGLE),
    Mask("/a.png", "/mask.png"),
    Doctor("cpu"),
    Texture(ROWS, "/photos", vertices=TRIANGLE[0], faces=TRIANGLE[1], together=np.int32([5]), picture="/t.png"),
    Texture(folder="/photos", path="/a.glb", size=600),
    Shape(*TRIANGLE, uvs=np.zeros((1, 3, 2), np.float32), texture=np.zeros((4, 4, 3), np.uint8)),
    Shape(
        *TRIANGLE, None, "f" * 64, {"bounds": [[0, 0, 0], [1, 1, 1]]}, {"verb": "x", "inputs": [{"path": "ä"}]}, "/m"
    ),
    Shape(STRIP[0], np.array([[0, 1, 2], [0, 2, 3]], np.int32), polygons=np.int32([4, 4])),
    Written("/a.ply"),
    Masked("/m.png", "alpha", 0.25),
    Diagnosis(True, "cpu", {"devices": [{"name": "cpu", "ok": True}]}),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_every_message_survives_the_wire(message):
    box = {}

    def put(name, array):
        box[name] = array.copy()
        return name

    data = json.loads(json.dumps(requests.to_json(message, put)))
    assert _same(requests.from_json(data, box.get), message)


def _same(one, other) -> bool:
    if type(one) is not type(other):
        return False
    return all(np.array_equal(value, vars(other)[name]) for name, value in vars(one).items())


@pytest.mark.parametrize(
    "make, sentence",
    [
        (lambda: Reconstruct(()), "No picture was given"),
        (lambda: Reconstruct(("",)), "Images is ''; it must name a file"),
        (lambda: Reconstruct((7,)), "Images is 7"),
        (lambda: Reconstruct("a.png", resolution=48), "Resolution is 48; choose one of 32, 64"),
        (lambda: Reconstruct("a.png", resolution=True), "Resolution is True"),
        (lambda: Reconstruct("a.png", device="gpu"), "Device is 'gpu'; choose one of auto, cpu, cuda, mps"),
        (lambda: Reconstruct("a.png", meshing={}), "Meshing of Reconstruct is {}"),
        (lambda: Reconstruct("a.png", view={}), "View of Reconstruct is {}"),
        (lambda: View(elevation=90), "Elevation is 90; it must be from -20 to 75"),
        (lambda: View(depth=0.1), "Depth is 0.1; it must be from 0.6 to 3"),
        (lambda: View(depth="far"), "Depth is 'far'; it must be a number"),
        (lambda: View(symmetry=1), "Symmetry is 1; it is either on or off"),
        (lambda: Remesh(""), "No field was named"),
        (lambda: Meshing(level="high"), "Level is 'high'; it must be a number"),
        (lambda: Meshing(level=float("nan")), "Level is nan"),
        (lambda: Meshing(style="lego"), "Style is 'lego'; choose one of smooth, blocks"),
        (lambda: Meshing(smoothing=-1), "Smoothing is -1; it must be a whole number from 0 to 200"),
        (lambda: Meshing(smoothing=1.5), "Smoothing is 1.5"),
        (lambda: Meshing(faces=3), "Faces is 3; a closed mesh needs at least 4"),
        (lambda: Meshing(islands="no"), "Islands is 'no'"),
        (lambda: Meshing(size=0), "Size is 0 metres; it must be above 0"),
        (lambda: Meshing(size=float("inf")), "Size is inf"),
        (lambda: Reconstruct(("a", "b"), turns=(0, 90, 180)), "Turns are 3 for 2 pictures; give one for each"),
        (lambda: Reconstruct(("a", "b"), turns=(10, 90)), "Turns begin with 10; the first picture's is 0"),
        (lambda: Reconstruct(("a", "b"), elevations=("x", 90)), "Elevations is 'x'"),
        (lambda: Reconstruct(("a", "b", "a")), "a was given twice"),
        (lambda: Reconstruct(("a", "b"), mask="m"), "Mask belongs to one picture"),
        (lambda: Reconstruct(tuple(map(str, range(25)))), "25 pictures of one object are too many"),
        (lambda: Shape(np.zeros((2, 3)), np.array([[0, 1, 2]])), "A face names vertex 2 of a mesh with 2 vertices"),
        (lambda: Shape(np.zeros((3, 2)), np.array([[0, 1, 2]])), r"\(V, 3\) vertices"),
        (lambda: Shape(*TRIANGLE, np.ones((2, 3))), r"Colours are \(2, 3\)"),
        (lambda: Shape(*TRIANGLE, polygons=[0, 0]), r"Polygons are \(2,\); a number for each face"),
        (lambda: Shape(*STRIP, polygons=[0, 0]), "Polygons join faces that are not the two halves of a quad"),
        (lambda: Shape(*TRIANGLE, uvs=np.ones((3, 2))), r"UVs are \(3, 2\); two numbers for each corner"),
        (lambda: Shape(*TRIANGLE, texture=np.zeros((4, 4, 3), np.uint8)), "A texture needs UVs"),
        (lambda: Shape(*TRIANGLE, uvs=UVS, texture=np.zeros((4, 5, 3), np.uint8)), "it must be square"),
        (lambda: Shape(*TRIANGLE, uvs=UVS, texture=np.zeros((4, 4, 3))), "it must be square with three bytes"),
        (lambda: Capture("a", texture=100), "Texture is 100; it must be from 512 to 4096, or 0 for none"),
        (lambda: Capture("a", texture=8192), "Texture is 8192; it must be a whole number from 0 to 4096"),
        (lambda: Texture(path="a.ply"), "No photos were named"),
        (lambda: Texture(folder="a"), "No mesh was given"),
        (lambda: Texture(folder="a", path="a.ply", size=2.5), "Size is 2.5"),
        (lambda: Texture(({"name": 1},), path="a.ply"), "Cameras are rows with name, path, matrix"),
        (lambda: Texture((ROWS[0] | {"matrix": [1]},), path="a.ply"), "has no matrix of 4 x 4 numbers"),
        (lambda: Texture((ROWS[0] | {"focal": [0, 0]},), path="a.ply"), "a focal length of nothing"),
        (lambda: Texture((ROWS[0] | {"size": ["a", 1]},), path="a.ply"), "size is 'a'; it must be a number"),
        (lambda: Texture(ROWS, vertices=np.eye(3), faces=[[0, 1, 2]], together=[1, 2]), "one number for each face"),
    ],
)
def test_wrong_values_are_refused_in_one_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence) as error:
        make()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "data, sentence",
    [
        (None, "'NoneType' is nothing"),
        ([], "'list' is nothing"),
        ({"kind": "Teapot"}, "'Teapot' is nothing that this version"),
        ({"kind": "Doctor", "colour": 1}, "Doctor has no setting 'colour'; it has cache, device"),
        ({"kind": "Remesh"}, "Remesh is incomplete"),
        ({"kind": "Remesh", "field": "x", "meshing": {"kind": "Meshing", "style": "lego"}}, "Style is 'lego'"),
    ],
)
def test_foreign_json_is_refused_in_one_sentence(data, sentence):
    with pytest.raises(ValueError, match=sentence):
        requests.from_json(data)


def test_an_array_needs_somewhere_to_go():
    with pytest.raises(ValueError, match="vertices is an array"):
        requests.to_json(Export("/a.ply", *TRIANGLE))


def test_one_picture_need_not_be_a_tuple_and_paths_become_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Reconstruct("a.png").images == (str(tmp_path / "a.png"),)
    assert Reconstruct(Path("b.png")).images == (str(tmp_path / "b.png"),)
    assert Reconstruct("a.png", preview="p.png").preview == str(tmp_path / "p.png")
    assert Reconstruct("~/a.png").images == (os.path.expanduser("~/a.png"),)
    assert Remesh("f.npz").field == str(tmp_path / "f.npz") and Remesh("a" * 64).field == "a" * 64


def test_turns_go_once_round():
    asked = Reconstruct(("a", "b", "c"), turns=(0, 270, "auto"), masks=("", "m.png", ""))
    assert asked.turns == (0, -90, None) and asked.masks == ("", os.path.abspath("m.png"), "")
    assert requests.even_turns(4) == (0, 90, 180, 270) and requests.even_turns(3, "left") == (0, -120, -240)
    assert requests.from_json(requests.to_json(asked)) == asked


def test_auto_level_is_none_and_numpy_numbers_are_numbers():
    assert Meshing("auto").level is None
    assert Meshing(np.float32(0.5), faces=np.int64(100)) == Meshing(0.5, faces=100)
    assert replace(Meshing(), level=0.25).keywords() == {
        "level": 0.25,
        "style": "smooth",
        "smoothing": 2,
        "faces": 0,
        "islands": False,
    }


def test_a_diagnosis_says_what_is_wrong():
    report = {
        "versions": {"torch": "2.9", "scipy": "MISSING: ImportError: no"},
        "devices": [{"name": "cuda", "label": "", "ok": False, "seconds": 0.0, "note": "no kernel image"}],
        "weights": [{"name": "image_to_field", "ok": True, "note": ""}],
    }
    diagnosis = Diagnosis(False, "none", report)
    assert diagnosis.trouble() == [
        "scipy does not load: MISSING: ImportError: no",
        "cuda does not work: no kernel image",
    ]
    assert any(line.split() == ["cuda", "FAILED:", "no", "kernel", "image"] for line in diagnosis.lines())
