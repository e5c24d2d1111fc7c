"""Cameras found from photographs of a box whose true ones are known, and every set of photos that shows too little."""

import importlib.util
import os
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from maquette.geometry.frames import look_at
from maquette.geometry.picture import write_picture
from maquette.geometry.sharpness import taken_with
from maquette.geometry.views import mask_beside
from maquette.jobs import poses
from maquette.jobs.poses import Bare, copies, find_scene, groups_of, open_scene, poses_of
from maquette.jobs.protocol import Cancelled
from maquette.jobs.structure import Structure, all_pairs, some_pairs

HERE = Path(__file__).resolve().parent
_spec = importlib.util.spec_from_file_location("box", HERE / "box.py")
box = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(box)

pytest.importorskip("pycolmap", reason="pycolmap is not installed: pip install -e .[test]")


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch):
    """Cameras that another test found of these photos are found anew."""
    monkeypatch.setattr(poses.known_cameras, "load", lambda *_: None)


def quiet(*_):
    pass


def noise(path, seed, size=(320, 240)):
    write_picture(np.random.default_rng(seed).integers(0, 255, (*size[::-1], 3), np.uint8), path)


def plain(path, value, size=(320, 240)):
    write_picture(np.full((*size[::-1], 3), value, np.uint8), path)


@pytest.fixture(scope="module")
def shots(tmp_path_factory):
    """Eight photos of a box, one lying on its side as EXIF says, and four that are of no use."""
    folder = tmp_path_factory.mktemp("shots")
    cameras, pinhole = box.photographs(folder)
    exif = Image.Exif()
    exif[274] = 8
    Image.open(folder / "3.png").transpose(Image.Transpose.ROTATE_270).save(folder / "3.png", exif=exif)
    noise(folder / "noise.png", 1)
    plain(folder / "night.png", 3)
    plain(folder / "wall.png", 128)
    (folder / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    return folder, cameras, pinhole


@pytest.fixture(scope="module")
def found(shots):
    said = []
    return find_scene(shots[0], progress=lambda *state: said.append(state)), said


def test_all_photos_that_can_be_placed_are(found, shots):
    scene, _ = found
    assert [photo.name for photo in scene.photos] == [str(i) for i in range(8)]
    assert all(photo.image.shape == (240, 320, 3) for photo in scene.photos)  # 3.png too, which is stored on its side
    degrees, distances = box.errors([photo.camera for photo in scene.photos], shots[1])
    assert np.median(degrees) < 0.5 and degrees.max() < 1
    assert distances.max() < 0.05  # of 3 units to the box
    pinhole = scene.photos[0].pinhole
    np.testing.assert_allclose(pinhole, shots[2], rtol=0.03)
    assert all(np.array_equal(photo.pinhole, pinhole) for photo in scene.photos)  # one camera took them all


def test_points_lie_in_front_of_the_cameras_that_saw_them(found):
    scene, _ = found
    assert len(scene.points) > 100
    for photo in scene.photos:
        depth = -((scene.points - photo.camera[:3, 3]) @ photo.camera[:3, :3])[:, 2]
        assert (depth > 0).all()


def test_every_photo_that_failed_is_listed_with_the_reason(found):
    notes = found[0].notes
    assert len(notes) == 4
    assert any(note.startswith("torn.jpg is") for note in notes)
    assert any(note.startswith("night shows too little detail (0 points): it is too dark") for note in notes)
    assert any(note.startswith("wall shows too little detail (0 points): what it shows is too plain") for note in notes)
    assert "noise has nothing in common with the other photos" in notes


def test_progress_grows_and_names_the_phases(found):
    said = found[1]
    fractions = [state[0] for state in said]
    assert fractions == sorted(fractions) and 0 <= fractions[0] and fractions[-1] <= 1
    assert {"Photos", "Features", "Matches", "Cameras"} == {state[1] for state in said}


@pytest.mark.parametrize("phase", ["Photos", "Features", "Matches", "Cameras"])
def test_what_progress_raises_stops_the_work_and_leaves_nothing(shots, phase, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    for i in range(2):
        (tmp_path / f"{i}.png").write_bytes((shots[0] / f"{i}.png").read_bytes())

    def progress(fraction, now, note=""):
        if now == phase:
            raise Cancelled

    with pytest.raises(Cancelled):
        find_scene(tmp_path, progress=progress)
    assert os.listdir(tmp_path / "temporary") == []


def test_cancelled_is_asked(shots):
    start = time.monotonic()
    with pytest.raises(Cancelled):
        find_scene(shots[0], cancelled=lambda: time.monotonic() - start > 1)


@pytest.fixture(scope="module")
def matched(shots, tmp_path_factory):
    """Five photos, compared."""
    folder = tmp_path_factory.mktemp("work")
    photos = copies(shots[0], [shots[0] / f"{i}.png" for i in range(5)], folder, [], quiet)
    structure = Structure(folder, quiet)
    features = structure.features(groups_of(photos), masked=False)
    return structure, photos, features, structure.matches([photo.copy for photo in photos], every_pair=False)


@pytest.mark.parametrize("way", ["as usual", "easier", "at once"])
def test_every_way_of_mapping(matched, shots, way):
    structure, photos, features, names = matched
    assert names == {photo.copy for photo in photos}
    model = structure.mapping_at_once() if way == "at once" else structure.mapping(way == "easier")
    found = poses_of(model, photos, features, names)
    assert len(found.views) == 5 and found.notes == []
    degrees, _ = box.errors([view.camera for view in found.views], shots[1][:5])
    assert degrees.max() < 1.5


def test_features_are_looked_for_where_the_mask_says(shots, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    for i in range(2):
        (home / f"{i}.png").write_bytes((shots[0] / f"{i}.png").read_bytes())
        half = np.zeros((240, 320), np.uint8)
        half[:, 160:] = 255
        (home / "masks").mkdir(exist_ok=True)
        write_picture(half, home / "masks" / f"{i}.png")
    assert mask_beside(home, "1.png").name == "1.png"
    photos = copies(home, [home / "0.png", home / "1.png"], tmp_path, [], quiet)
    structure = Structure(tmp_path, quiet)
    whole, half = (structure.features(groups_of(photos), masked) for masked in (False, True))
    assert all(0 < half[name] < 0.75 * whole[name] for name in whole)
    with structure._opened() as database:
        places = database.read_keypoints(1)
    assert (places[:, 0] > 158).all()


# --- lenses ---------------------------------------------------------------------------------------------------------


def test_exif_says_which_camera_and_its_focal_length(tmp_path):
    exif = Image.Exif()
    exif[0x0110] = "Box Brownie"
    exif.get_ifd(0x8769)[0xA405] = 54
    Image.new("RGB", (64, 48)).save(tmp_path / "a.jpg", exif=exif)
    camera, focal = taken_with(tmp_path / "a.jpg")
    assert "Box Brownie" in camera and focal == 1.5
    Image.new("RGB", (64, 48)).save(tmp_path / "b.png")
    assert taken_with(tmp_path / "b.png") == (("", "", 0.0, 0.0), None)
    (tmp_path / "c.jpg").write_text("no picture")
    assert taken_with(tmp_path / "c.jpg") == ((), None)


def bare(number, camera, focal=None, size=(320, 240)):
    return Bare(str(number), Path(), f"0/{number}.png", size, None, False, camera, focal, "", number)


def test_photos_by_one_camera_share_its_intrinsics(shots, tmp_path):
    groups = groups_of([bare(0, ("a",), 480.0), bare(1, ("b",)), bare(2, ("a",), 480.0)])
    assert [group.names for group in groups] == [("0/0.png", "0/2.png"), ("0/1.png",)]
    assert groups[0].focal == 480 and groups[1].focal is None
    photos = copies(shots[0], [shots[0] / "0.png", shots[0] / "1.png"], tmp_path, [], quiet)
    structure = Structure(tmp_path, quiet)
    known = [type(group)(group.names, group.size, 480.0) for group in groups_of(photos)]
    structure.features(known, masked=False)
    with structure._opened() as database:
        (camera,) = database.read_all_cameras()
    assert camera.model_name == "SIMPLE_RADIAL" and camera.params.tolist() == [480, 160, 120, 0]
    assert camera.has_prior_focal_length


def test_half_sized_pixels_are_looked_at_only_where_it_takes_them(monkeypatch, tmp_path):
    """Of large photos; what was found without them counts where that is as good."""
    asked, placed = [], {}

    def tried(photos, temporary, masked, watch, doubled=True):
        asked.append(doubled)
        count = placed[doubled]
        return SimpleNamespace(num_reg_images=lambda: count), {"features": doubled}, set()

    monkeypatch.setattr(poses, "tried", tried)
    large = [bare(i, ("a",), size=(1600, 1000)) for i in range(10)]
    cases = (large, 9, 0, [False]), (large, 4, 8, [False, True]), (large, 4, 3, [False, True])
    for photos, coarse, fine, order in (*cases, (large[:9] + [bare(9, ("b",))], 0, 8, [True])):
        asked.clear()
        placed.update({False: coarse, True: fine})
        model, features, _ = poses.attempt(photos, tmp_path, False, quiet)
        assert asked == order and model.num_reg_images() == max(coarse, fine)
        assert features["features"] == (fine > coarse)
    asked.clear()
    poses.attempt(large, tmp_path, True, quiet)
    assert asked == [True]


def test_large_photos_are_seen_without_them(tmp_path):
    """In fewer points, each of them in the photo's own pixels."""
    rng = np.random.default_rng(0)
    small = Image.fromarray(rng.integers(0, 255, (150, 200, 3), np.uint8))
    (tmp_path / "photos" / "0").mkdir(parents=True)
    small.resize((1600, 1200), Image.BICUBIC).save(tmp_path / "photos" / "0" / "0.png")
    structure, groups = Structure(tmp_path, quiet), groups_of([bare(0, ("a",), size=(1600, 1200))])
    counts = [structure.features(groups, False, doubled)["0/0.png"] for doubled in (False, True)]
    assert 100 < counts[0] <= counts[1]


def test_which_pairs_are_compared():
    names = [str(i) for i in range(100)]
    pairs = set(some_pairs(names))
    assert len(all_pairs(names)) == 4950 and len(pairs) < 1200
    assert ("0", "10") in pairs and ("0", "50") in pairs and ("2", "97") in pairs and ("1", "50") not in pairs
    assert set(some_pairs(names[:4])) == set(all_pairs(names[:4]))


# --- photos that show too little ------------------------------------------------------------------------------------


def check(folder, words):
    with pytest.raises(ValueError, match=words) as error:
        find_scene(folder)
    assert "\n" not in str(error.value)


def test_photos_with_nothing_in_common(tmp_path):
    for i in range(3):
        write_picture(box.pattern(i)[:240, :320].astype(np.uint8), tmp_path / f"{i}.png")
    check(tmp_path, "the 3 photos have nothing in common, so their cameras cannot be found; take more")


def test_photos_that_show_nothing(tmp_path):
    for i in range(3):
        plain(tmp_path / f"{i}.png", 10 + i, (160, 120))
    check(tmp_path, r"the photos show too little detail to find their cameras \(0: it is too dark\)")


def test_photos_from_one_spot(shots, tmp_path):
    """A camera that only turns sees nothing of how far away anything is."""
    surfaces = box.planes()
    for i in range(3):
        camera = look_at((0.5, -3, 1.5), target=(0.2 * i - 0.2, 0, 0.1 * i))
        write_picture(box.draw(camera, shots[2], 320, 240, surfaces), tmp_path / f"{i}.png")
    check(tmp_path, "the cameras of the 3 photos could not be found; walk round the object rather than turn")


def test_too_few_photos(shots, tmp_path):
    check(tmp_path, "holds no photos")
    (tmp_path / "a.png").write_bytes((shots[0] / "0.png").read_bytes())
    check(tmp_path, "there is only one photo, a; Capture needs several")
    (tmp_path / "b.png").write_text("torn")
    check(tmp_path, r"there is only one photo, a \(b.png is not a picture")
    (tmp_path / "b.png").write_bytes((shots[0] / "0.png").read_bytes())
    check(tmp_path, "all 2 photos show the same picture")
    (tmp_path / "a.png").write_text("torn")
    (tmp_path / "b.png").write_text("torn")
    check(tmp_path, "none of the photos can be used: a.png is not a picture")


def test_cameras_that_are_known_are_not_looked_for(shots, tmp_path, monkeypatch):
    import json

    folder = tmp_path / "shots"
    folder.mkdir()
    frames = [{"file_path": f"{i}.png", "transform_matrix": shots[1][i].tolist()} for i in (0, 1)]
    for frame in frames:
        (folder / frame["file_path"]).write_bytes((shots[0] / frame["file_path"]).read_bytes())
    (folder / "transforms.json").write_text(json.dumps({"camera_angle_x": 0.9, "frames": frames}))
    monkeypatch.setattr(poses, "find_scene", None)
    np.testing.assert_allclose([photo.camera for photo in open_scene(folder).photos], shots[1][:2])


def test_without_pycolmap_the_way_out_is_said(shots, monkeypatch):
    monkeypatch.setitem(sys.modules, "pycolmap", None)
    check(shots[0], "needs pycolmap: install that .pip install pycolmap., or give")
