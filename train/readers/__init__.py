"""Readers for the field's data: R2N2's ShapeNet renderings, binvox grids, ModelNet, folders of meshes."""

MARK = "mesh"
"""What tells shards made of meshes from procedural ones: shard-mesh-<folder>-00000.npz."""
