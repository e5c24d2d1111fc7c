"""Files read back by a second implementation (trimesh, or by the formats' own words)."""

import dataclasses
import json
import struct

import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree

from maquette.geometry.export import write_mesh
from maquette.geometry.isosurface import mesh_from_field
from maquette.geometry.mesh import Mesh
from maquette.geometry.unwrap import unwrap

from .shapes import ball, box, rainbow, signed, union


@pytest.fixture(scope="module")
def mesh():
    """Taller than deep, so that axes cannot be mistaken."""
    distance = union(ball((0, 0, 0.1), 0.25), box((0, 0.05, -0.2), (0.2, 0.1, 0.2)))
    return mesh_from_field(signed(distance, 32, colour=rainbow))


@pytest.mark.parametrize("ending", ["ply", "obj", "stl", "glb", "PLY"])
def test_shapes_come_back(mesh, tmp_path, ending):
    path = tmp_path / f"Größe.{ending}"
    write_mesh(mesh, path)
    back = trimesh.load(path, force="mesh")
    assert back.is_watertight
    assert back.volume == pytest.approx(mesh.volume, rel=1e-4)
    bounds = mesh.bounds
    if ending == "glb":  # y up, and the front looks along +z
        bounds = np.array([[bounds[0, 0], bounds[0, 2], -bounds[1, 1]], [bounds[1, 0], bounds[1, 2], -bounds[0, 1]]])
    np.testing.assert_allclose(back.bounds, bounds, atol=1e-5)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("ending", ["ply", "obj"])
def test_colours_come_back(mesh, tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    write_mesh(mesh, path)
    back = trimesh.load(path, process=False)
    np.testing.assert_allclose(back.vertices, mesh.vertices, atol=1e-5)
    np.testing.assert_allclose(back.visual.vertex_colors[:, :3] / 255, mesh.colours, atol=1.01 / 255)


def gltf(path):
    data = path.read_bytes()
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    size = struct.unpack_from("<I", data, 12)[0]
    return json.loads(data[20 : 20 + size]), data[28 + size :]


def test_gltf_colours_are_linear_and_its_normals_point_outwards(mesh, tmp_path):
    write_mesh(mesh, tmp_path / "a.glb")
    scene, data = gltf(tmp_path / "a.glb")
    attributes = scene["meshes"][0]["primitives"][0]["attributes"]

    def read(name, dtype, columns):
        accessor = scene["accessors"][attributes[name]]
        view = scene["bufferViews"][accessor["bufferView"]]
        assert view["byteOffset"] % 4 == 0
        return np.frombuffer(data, dtype, accessor["count"] * columns, view["byteOffset"]).reshape(-1, columns)

    colours = read("COLOR_0", "<u2", 4) / 65535
    np.testing.assert_array_equal(colours[:, 3], 1)
    grey = np.abs(mesh.colours - 0.5).argmin(axis=0)  # sRGB .5 is .214 of the light
    assert colours[grey[0], 0] == pytest.approx(0.2140, abs=0.02)
    normals = read("NORMAL", "<f4", 3)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)
    assert (normals * read("POSITION", "<f4", 3)).sum(axis=1).mean() > 0.1
    assert scene["materials"][0]["pbrMetallicRoughness"]["metallicFactor"] == 0


def test_blocks_are_shaded_flat_in_gltf(tmp_path):
    write_mesh(mesh_from_field(signed(ball(), 12), style="blocks"), tmp_path / "a.glb")
    assert "NORMAL" not in gltf(tmp_path / "a.glb")[0]["meshes"][0]["primitives"][0]["attributes"]


def test_other_endings_and_places_are_refused(mesh, tmp_path):
    with pytest.raises(ValueError, match=r"a\.fbx does not end in \.glb, \.ply, \.obj or \.stl"):
        write_mesh(mesh, tmp_path / "a.fbx")
    with pytest.raises(ValueError, match="folder .*nowhere does not exist"):
        write_mesh(mesh, tmp_path / "nowhere" / "a.glb")
    (tmp_path / "folder.ply").mkdir()
    with pytest.raises(ValueError, match="folder.ply cannot be written"):
        write_mesh(mesh, tmp_path / "folder.ply")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.ply"]


def test_a_failed_write_leaves_the_old_file(tmp_path):
    (tmp_path / "a.ply").write_text("old")
    with pytest.raises(IndexError):
        write_mesh(Mesh(np.zeros((3, 3), np.float32), np.array([[0, 1, 9]], np.int32)), tmp_path / "a.stl")
    assert [path.name for path in tmp_path.iterdir()] == ["a.ply"]


def test_ply_says_how_sure_each_vertex_is(mesh, tmp_path):
    """Under the name that the format's own examples use; trimesh reads it back."""
    sure = np.linspace(0, 1, len(mesh.vertices), dtype=np.float32)
    write_mesh(dataclasses.replace(mesh, confidence=sure), tmp_path / "sure.ply")
    read = trimesh.load(tmp_path / "sure.ply", process=False)
    np.testing.assert_array_equal(read.metadata["_ply_raw"]["vertex"]["data"]["confidence"].ravel(), sure)
    np.testing.assert_allclose(read.vertices, mesh.vertices)


@pytest.fixture(scope="module")
def textured(mesh):
    """Charts, and a texture whose colours say where they are: red grows with u, green with v; the first row on top."""
    side = 64
    rows, columns = np.mgrid[:side, :side]
    texture = np.stack([columns * 4, (side - 1 - rows) * 4, np.full((side, side), 77)], axis=-1).astype(np.uint8)
    return dataclasses.replace(mesh, uvs=unwrap(mesh, 512), texture=texture)


def corners_of(vertices, faces, uvs):
    """Each corner's place and its texture coordinates (3F, 5)."""
    return np.concatenate([vertices[faces].reshape(-1, 3), uvs.reshape(-1, 2)], axis=1)


@pytest.mark.parametrize("ending", ["glb", "obj"])
def test_a_texture_comes_back(textured, tmp_path, ending):
    """With the mesh parted at its seams, and no vertex colours that would be multiplied with it."""
    write_mesh(textured, tmp_path / f"Größe 1.{ending}")
    back = trimesh.load(tmp_path / f"Größe 1.{ending}", force="mesh", process=False)
    assert back.visual.kind == "texture"
    material = back.visual.material
    picture = np.asarray((material.baseColorTexture if ending == "glb" else material.image).convert("RGB"))
    np.testing.assert_array_equal(picture, textured.texture)
    places = np.array(back.vertices)
    if ending == "glb":
        places = np.stack([places[:, 0], -places[:, 2], places[:, 1]], axis=1)
    found = corners_of(places, back.faces, back.visual.uv[back.faces])
    expected = corners_of(textured.vertices, textured.faces, textured.uvs)
    assert len(found) == len(expected)
    for one, other in ((found, expected), (expected, found)):
        assert cKDTree(one).query(other)[0].max() < 1e-5
    assert len(back.vertices) < 3 * len(textured.faces) / 2


def test_an_obj_has_its_material_and_picture_beside_it(textured, tmp_path):
    (tmp_path / "a.png").write_text("a photo of the artist's")
    write_mesh(textured, tmp_path / "a.obj")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mtl", "a.obj", "a.png", "a_texture.png"]
    assert (tmp_path / "a.png").read_text() == "a photo of the artist's"
    assert "mtllib a.mtl" in (tmp_path / "a.obj").read_text() and "usemtl Maquette" in (tmp_path / "a.obj").read_text()
    assert "map_Kd a_texture.png" in (tmp_path / "a.mtl").read_text()
    first = next(line for line in (tmp_path / "a.obj").read_text().splitlines() if line.startswith("v "))
    assert len(first.split()) == 4


def test_a_name_that_would_end_its_line_is_refused(textured, tmp_path):
    with pytest.raises(ValueError, match="characters that an .obj cannot name"):
        write_mesh(textured, tmp_path / "a\nmap_Kd b.obj")
    assert not list(tmp_path.iterdir())


def test_gltf_asks_for_the_texture_alone(textured, tmp_path):
    write_mesh(textured, tmp_path / "a.glb")
    scene, data = gltf(tmp_path / "a.glb")
    assert set(scene["meshes"][0]["primitives"][0]["attributes"]) == {"POSITION", "NORMAL", "TEXCOORD_0"}
    view = scene["bufferViews"][scene["images"][0]["bufferView"]]
    assert view["byteOffset"] % 4 == 0 and data[view["byteOffset"] :][:4] == b"\x89PNG"
    assert scene["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"]["index"] == 0


@pytest.mark.parametrize("ending", ["ply", "stl"])
def test_formats_without_textures_keep_the_mesh(textured, mesh, tmp_path, ending):
    write_mesh(textured, tmp_path / f"a.{ending}")
    write_mesh(mesh, tmp_path / f"b.{ending}")
    assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()


@pytest.fixture
def prism():
    """Three quads round, triangles on top and below, each side with its own third of the map."""
    turn = np.radians([0, 120, 240])
    ring = np.stack([np.cos(turn), np.sin(turn), np.zeros(3)], 1)
    vertices = np.concatenate([ring, ring + [0, 0, 1]]).astype(np.float32)
    faces, uvs = [[2, 1, 0], [3, 4, 5]], np.zeros((8, 3, 2), np.float32)
    for i in range(3):
        a, b = i, (i + 1) % 3
        faces += [[a, b, b + 3], [a, b + 3, a + 3]]
        uvs[2 + 2 * i, :, 0], uvs[3 + 2 * i, :, 0] = np.array([i, i + 1, i + 1]) / 3, np.array([i, i + 1, i]) / 3
        uvs[2 + 2 * i, 2, 1] = uvs[3 + 2 * i, 1:, 1] = 1
    return Mesh(vertices, np.int32(faces), uvs=uvs, polygons=np.int32([0, 1, 2, 2, 3, 3, 4, 4]))


def test_quads_stay_quads_in_obj(prism, tmp_path):
    assert prism.is_watertight and prism.volume > 0
    write_mesh(prism, tmp_path / "a.obj")
    lines = [line.split() for line in (tmp_path / "a.obj").read_text().splitlines()]
    faces = [[tuple(map(int, corner.split("/"))) for corner in line[1:]] for line in lines if line[0] == "f"]
    assert [len(face) for face in faces] == [3, 3, 4, 4, 4]
    places = np.array([line[1:] for line in lines if line[0] == "vt"], float)
    assert [v for v, _ in faces[3]] == [2, 3, 6, 5]
    np.testing.assert_allclose(
        [places[t - 1] for _, t in faces[3]], np.array([[1, 0], [2, 0], [2, 3], [1, 3]]) / 3, atol=1e-5
    )
    assert not any(line[0] in ("mtllib", "usemtl") for line in lines)


@pytest.mark.parametrize("ending", ["ply", "stl", "glb"])
def test_elsewhere_they_are_triangles(prism, tmp_path, ending):
    write_mesh(prism, tmp_path / f"a.{ending}")
    back = trimesh.load(tmp_path / f"a.{ending}", force="mesh")
    assert len(back.faces) == 8 and back.volume == pytest.approx(prism.volume, rel=1e-5)


def test_uvs_without_a_texture_are_in_gltf(prism, tmp_path):
    write_mesh(dataclasses.replace(prism, colours=np.ones((6, 3), np.float32)), tmp_path / "a.glb")
    scene, _ = gltf(tmp_path / "a.glb")
    primitive = scene["meshes"][0]["primitives"][0]
    assert {"TEXCOORD_0", "COLOR_0"} <= set(primitive["attributes"]) and "textures" not in scene
    back = trimesh.load(tmp_path / "a.glb", force="mesh", process=False)
    corner = np.flatnonzero((np.abs(back.vertices - [-0.5, 1, -np.sqrt(3) / 2]) < 1e-4).all(1))
    assert len(corner) >= 2, "parted at the seam"
