"""Where a body's head is cut off: along a closed ring of edges round the neck."""

from __future__ import annotations

import numpy as np

NECK = 0.56
"""Metres above the middle of the base mesh, below which no vertex of the ring lies"""
LONGEST = 1000


def above_neck(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """vertices (N, 3) metres, z up; faces (F, 4, 2) -> the faces above the lowest ring over NECK, and the ring.

    Raises ValueError where no ring of edges goes round the neck."""
    quads = faces[..., 0]
    ring = lowest_ring(vertices, quads)
    fence = {frozenset(pair) for pair in zip(ring.tolist(), np.roll(ring, -1).tolist())}
    sides: dict[frozenset, list[int]] = {}
    for number, quad in enumerate(quads.tolist()):
        for pair in zip(quad, quad[1:] + quad[:1]):
            sides.setdefault(frozenset(pair), []).append(number)
    beside: dict[int, list[int]] = {}
    for pair, both in sides.items():
        if pair not in fence and len(both) == 2:
            beside.setdefault(both[0], []).append(both[1])
            beside.setdefault(both[1], []).append(both[0])
    start = int(vertices[quads][..., 2].mean(1).argmax())
    seen, todo = {start}, [start]
    while todo:
        fresh = [other for other in beside.get(todo.pop(), ()) if other not in seen]
        seen.update(fresh)
        todo += fresh
    if len(seen) == len(faces):
        raise ValueError("3dobjs/base.obj is not cut in two by the ring of edges round its neck: it is another mesh")
    return faces[sorted(seen)], ring


def lowest_ring(vertices: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """Straight on across quads from each edge that starts in the middle at the back; the lowest walk that closes."""
    place = {
        (a, b): (n, k)
        for n, quad in enumerate(quads.tolist())
        for k, (a, b) in enumerate(zip(quad, quad[1:] + quad[:1]))
    }
    found = []
    for a, b in place:
        if abs(vertices[a, 0]) > 1e-5 or vertices[b, 0] < 1e-4 or vertices[a, 1] < -0.03 or vertices[a, 2] < NECK:
            continue
        ring = walk(a, b, place, quads)
        if ring and vertices[ring, 2].min() > NECK:
            found.append(ring)
    if not found:
        raise ValueError("3dobjs/base.obj has no ring of edges round the neck: it is another mesh, or cut short")
    return np.array(min(found, key=lambda ring: vertices[ring, 2].mean()))


def walk(a: int, b: int, place: dict, quads: np.ndarray) -> list[int]:
    """Through vertices of four edges, in by one and out by the opposite; nothing where it does not come back."""
    ring = [a]
    while b != a:
        ring.append(b)
        if len(ring) > LONGEST or (ring[-2], b) not in place:
            return []
        face, corner = place[ring[-2], b]
        across = int(quads[face, (corner + 2) % 4])
        if (across, b) not in place:
            return []
        face, corner = place[across, b]
        b = int(quads[face, (corner + 2) % 4])
    return ring
