"""Meshes to files that other programs read. .ply, .obj and .stl are z up as in Blender; .glb is y up, as glTF says.

Vertex colours are sRGB bytes in .ply, sRGB numbers after each vertex in .obj, linear 16-bit in .glb; .stl has none.
A texture is a PNG within the .glb, and beside the .obj, whose .mtl names it; vertex colours are left out there.
Quads stay quads in .obj alone: readers of .ply trip over faces of several kinds, and the others know triangles only.
"""

import json
import struct
from pathlib import Path

import numpy as np

from .atomic import replacing
from .colour import to_bytes, to_linear
from .frames import z_up_to_y_up
from .mesh import face_normals, halves, vertex_normals
from .picture import png

MAKER = "Maquette"


def write_mesh(mesh, path):
    """Write mesh to path; the ending decides the format. Raises ValueError for other endings and unwritable places."""
    path = Path(path)
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        raise ValueError(f"{path.name} does not end in {', '.join(list(FORMATS)[:-1])} or {list(FORMATS)[-1]}")
    if form is obj and mesh.texture is not None:
        write_textured_obj(mesh, path)
        return
    with replacing(path) as file:
        file.write(form(mesh))


def ply(mesh) -> bytes:
    """Binary little-endian PLY."""
    columns, header = [("place", "<f4", 3)], ["property float x", "property float y", "property float z"]
    if mesh.colours is not None:
        columns.append(("colour", "u1", 3))
        header += ["property uchar red", "property uchar green", "property uchar blue"]
    if mesh.confidence is not None:
        columns.append(("confidence", "<f4"))
        header.append("property float confidence")
    vertices = np.zeros(len(mesh.vertices), columns)
    vertices["place"] = mesh.vertices
    if mesh.colours is not None:
        vertices["colour"] = to_bytes(mesh.colours)
    if mesh.confidence is not None:
        vertices["confidence"] = mesh.confidence
    faces = np.zeros(len(mesh.faces), [("count", "u1"), ("corners", "<i4", 3)])
    faces["count"], faces["corners"] = 3, mesh.faces
    lines = ["ply", "format binary_little_endian 1.0", f"comment {MAKER}", f"element vertex {len(vertices)}", *header]
    lines += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header", ""]
    return "\n".join(lines).encode() + vertices.tobytes() + faces.tobytes()


def corners_of_polygons(corners, polygons) -> list[list[int]]:
    """What lies at the corners (F, 3) of faces, for each polygon: of three rows of a quad's halves its four."""
    first, second = halves(polygons, len(corners))
    fourth = np.roll(corners[:, 2], -1).tolist()
    rows = zip(corners.tolist(), fourth, first.tolist(), second.tolist())
    return [[*row, last] if quad else row for row, last, quad, rest in rows if not rest]


def obj(mesh, library="") -> bytes:
    """Wavefront OBJ, colours after the places as MeshLab, ZBrush and Blender read them; library: the .mtl's name."""
    plain = mesh.colours is None or library
    rows = mesh.vertices if plain else np.concatenate([mesh.vertices, mesh.colours], axis=1)
    lines = [f"# {MAKER}", *([f"mtllib {library}"] if library else []), "o maquette", *_places(rows)]
    faces = corners_of_polygons(mesh.faces + 1, mesh.polygons)
    if mesh.uvs is None:
        return "\n".join([*lines, *("f " + " ".join(map(str, face)) for face in faces), ""]).encode()
    _, corners, uvs = parted_at_seams(mesh)
    lines += [f"vt {u:.6f} {v:.6f}" for u, v in uvs.tolist()] + ([f"usemtl {MAKER}"] if library else [])
    pairs = zip(faces, corners_of_polygons(corners + 1, mesh.polygons))
    return "\n".join([*lines, *("f " + " ".join(f"{v}/{t}" for v, t in zip(*pair)) for pair in pairs), ""]).encode()


def _places(rows):
    line = "v " + " ".join(["%.6f"] * 3 + ["%.4f"] * (rows.shape[1] - 3))
    return (line % tuple(row) for row in rows.tolist())


def write_textured_obj(mesh, path):
    """a.obj, a.mtl and a_texture.png, the .obj last, so that where it is the others are."""
    library = path.with_name(f"{path.stem}.mtl")
    picture = path.with_name(f"{path.stem}_texture.png")
    for one in (library, picture):
        if not one.name.isprintable():
            raise ValueError(f"{one.name!r} holds characters that an .obj cannot name; choose another name")
    material = f"newmtl {MAKER}\nKd 1 1 1\nKs 0 0 0\nmap_Kd {picture.name}\n".encode()
    for where, data in ((picture, png(mesh.texture)), (library, material), (path, obj(mesh, library.name))):
        with replacing(where) as file:
            file.write(data)


def parted_at_seams(mesh):
    """Vertices as formats have them that know one UV each: their vertex in the mesh (P,), faces (F, 3), UVs (P, 2)."""
    vertex, uvs = mesh.faces.ravel(), np.ascontiguousarray(mesh.uvs, np.float32).reshape(-1, 2)
    bits = np.ascontiguousarray(uvs + 0.0).view(np.uint64)[:, 0]  # + 0: -0 is 0
    order = np.lexsort([bits, vertex])
    new = np.ones(len(order), bool)
    new[1:] = (vertex[order][1:] != vertex[order][:-1]) | (bits[order][1:] != bits[order][:-1])
    number = np.empty(len(order), np.int64)
    number[order] = np.cumsum(new) - 1
    first = order[new]
    return vertex[first], number.reshape(-1, 3).astype(np.int32), uvs[first]


def stl(mesh) -> bytes:
    """Binary STL: the shape alone."""
    triangles = np.zeros(len(mesh.faces), [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("unused", "<u2")])
    triangles["normal"] = face_normals(mesh.vertices, mesh.faces)
    triangles["corners"] = mesh.vertices[mesh.faces]
    return MAKER.encode().ljust(80) + struct.pack("<I", len(triangles)) + triangles.tobytes()


def glb(mesh) -> bytes:
    """Binary glTF 2.0: one mesh, one rough material that takes the vertex colours, or the texture."""
    textured, flat = mesh.texture is not None, mesh.uvs is not None
    vertex, faces, uvs = parted_at_seams(mesh) if flat else (slice(None), mesh.faces, None)
    attributes = {"POSITION": z_up_to_y_up(mesh.vertices[vertex]).astype("<f4")}
    if not _boxy(mesh):  # without normals glTF is shaded flat, which is what faces along the axes want
        attributes["NORMAL"] = z_up_to_y_up(vertex_normals(mesh.vertices, mesh.faces))[vertex].astype("<f4")
    if flat:
        attributes["TEXCOORD_0"] = (uvs * [1, -1] + [0, 1]).astype("<f4")  # glTF counts v downwards
    if mesh.colours is not None and not textured:
        linear = np.round(to_linear(np.clip(mesh.colours[vertex], 0, 1)) * 65535)
        attributes["COLOR_0"] = np.pad(linear, ((0, 0), (0, 1)), constant_values=65535).astype("<u2")
    chunks, views, accessors = [], [], []
    for name, values in (*attributes.items(), ("indices", faces.astype("<u4").reshape(-1, 1))):
        views.append({"buffer": 0, "byteOffset": sum(map(len, chunks)), "byteLength": values.nbytes})
        views[-1]["target"] = 34963 if name == "indices" else 34962
        chunks.append(values.tobytes())  # every row is a multiple of 4 bytes, so all stay aligned
        accessors.append(_accessor(name, values, len(views) - 1))
    numbers = {name: i for i, name in enumerate(attributes)}
    primitive = {"attributes": numbers, "indices": len(attributes), "material": 0}
    surface = {"baseColorFactor": [1, 1, 1, 1], "metallicFactor": 0, "roughnessFactor": 0.7}
    pictures = {}
    if textured:
        data = png(mesh.texture)
        views.append({"buffer": 0, "byteOffset": sum(map(len, chunks)), "byteLength": len(data)})
        chunks.append(data + b"\0" * (-len(data) % 4))
        surface["baseColorTexture"] = {"index": 0}
        pictures = {
            "images": [{"bufferView": len(views) - 1, "mimeType": "image/png"}],
            "samplers": [{"magFilter": 9729, "minFilter": 9987, "wrapS": 33071, "wrapT": 33071}],  # smooth, clamped
            "textures": [{"source": 0, "sampler": 0}],
        }
    return _container(
        {
            "asset": {"version": "2.0", "generator": MAKER},
            "scene": 0,
            "scenes": [{"nodes": [0]}],
            "nodes": [{"mesh": 0, "name": "maquette"}],
            "meshes": [{"name": "maquette", "primitives": [primitive]}],
            "materials": [{"name": "Maquette", "pbrMetallicRoughness": surface}],
            **pictures,
            "buffers": [{"byteLength": sum(map(len, chunks))}],
            "bufferViews": views,
            "accessors": accessors,
        },
        b"".join(chunks),
    )


def _accessor(name, values, view):
    kinds = {"<f4": 5126, "<u2": 5123, "<u4": 5125}
    accessor = {
        "bufferView": view,
        "componentType": kinds[values.dtype.str],
        "count": len(values),
        "type": {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}[values.shape[1]],
    }
    if name == "POSITION":
        accessor |= {"min": values.min(axis=0).tolist(), "max": values.max(axis=0).tolist()}
    if values.dtype.str == "<u2":
        accessor["normalized"] = True
    if name == "indices":
        accessor["count"] = values.size
    return accessor


def _container(description, data):
    text = json.dumps(description, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    data += b"\0" * (-len(data) % 4)
    header = struct.pack("<4sII", b"glTF", 2, 12 + 8 + len(text) + 8 + len(data))
    return header + struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(data), b"BIN\0") + data


def _boxy(mesh):
    """Most faces look along an axis: blocks, and things that are made of boards."""
    return np.median(np.abs(face_normals(mesh.vertices, mesh.faces)).max(axis=1)) > 0.999


FORMATS = {".glb": glb, ".ply": ply, ".obj": obj, ".stl": stl}
