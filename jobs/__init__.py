"""What Blender, the command line and scripts may ask for, and the worker process that does it."""
