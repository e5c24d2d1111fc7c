"""The procedural world: families of shapes as distance programs, their pictures and their ground truth."""
