"""Fields, meshes and pictures as numpy arrays; nothing here knows Blender or torch."""
