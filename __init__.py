"""Photos to coloured meshes, offline: a Blender extension, a command and a Python package over one code.

Importing this loads neither bpy nor torch; the names below load what they need when they are first used.

    import maquette
    shape = maquette.reconstruct("chair.png", resolution=64, style="smooth", faces=5000)
    shape.save("chair.glb")
    maquette.remesh(shape.field, style="blocks").save("blocks.ply")
    maquette.capture("photos", budget=180, texture=2048).save("statue.glb")
    maquette.sample(family="chair", seed=7, sliders={"seat height": 45}).save("seat.glb")
"""

__version__ = "0.1.0"

command = []
"""Blender's handle of `blender --command maquette`, while registered."""


def reconstruct(images, **settings):
    """A picture of an object -> Shape; runs in the worker process, which stays warm for the next call.

    `images` is a path or several; `settings` are the fields of jobs.requests.Reconstruct, View and Meshing by name:
    resolution, device, mask, texture, preview, save_field, cache; elevation, depth, symmetry; level, style, smoothing,
    faces, islands, size.
    Raises ValueError for a setting that is unknown or wrong, JobError when the work fails."""
    from .jobs import client, requests

    return client.worker().run(requests.Reconstruct(images=images, **_grouped(settings, "meshing", "view")))


def capture(folder, **settings):
    """A folder of photos of one object, or a video -> Shape in the cameras' own frame.

    `settings` are the fields of jobs.requests.Capture and Meshing by name: budget (seconds), steps, resolution,
    holdout, seed, texture, renders, preview, save_field, cache; level, style, smoothing, faces, islands, size.
    Raises as reconstruct does."""
    from .jobs import client, requests

    return client.worker().run(requests.Capture(folder=folder, **_grouped(settings, "meshing")))


def texture(mesh, photos, size=2048, **settings):
    """A mesh and the photos that show it -> Shape with `uvs` and a `texture` of these photos.

    `mesh` is a Shape, or a mesh file, in the cameras' frame; `photos` the folder that was captured, or the `cameras` of
    the report of capture or reconstruct. `settings` are the fields of jobs.requests.Texture by name: folder (where
    photos were moved to), uvs, picture (a PNG to write), cache. Raises as reconstruct does."""
    from .jobs import client, requests

    arrays = isinstance(mesh, requests.Shape)
    names = "vertices", "faces", "colours"
    what = {name: getattr(mesh, name) for name in names} if arrays else {"path": mesh}
    where = {"cameras": tuple(photos)} if isinstance(photos, (list, tuple)) else {"folder": photos}
    return client.worker().run(requests.Texture(size=size, **what, **where, **settings))


def sample(model="shape_vae", **settings):
    """A shape out of a network's latent space -> Shape.

    `settings` are the fields of jobs.requests.Sample, Point and Meshing by name: resolution, other, factor, device,
    preview, save_field, cache; family, seed, truncation, variation, amount, latent, sliders; level, style, smoothing,
    faces, islands, size. Raises as reconstruct does."""
    from .jobs import client, requests

    return client.worker().run(requests.Sample(model, **_grouped({"smoothing": 0} | settings, "meshing", "point")))


def remesh(field, **settings):
    """A field from before (Shape.field, or an .npz) -> Shape with other mesh settings; runs no network."""
    from .jobs import client, requests

    return client.worker().run(requests.Remesh(field=field, **_grouped(settings, "meshing")))


def _grouped(settings: dict, *groups: str) -> dict:
    """Flat settings with those that belong to Meshing, or View, gathered in one."""
    from dataclasses import fields

    from .jobs import requests

    settings = dict(settings)
    for group in groups:
        kind = getattr(requests, group.capitalize())
        given = {field.name: settings.pop(field.name) for field in fields(kind) if field.name in settings}
        settings[group] = kind(**given)
    return settings


def __getattr__(name: str):
    if name in ("Shape", "Meshing", "View", "Point"):
        from .jobs import requests

        return getattr(requests, name)
    if name == "JobError":
        from .jobs.client import JobError

        return JobError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), "JobError", "Meshing", "Point", "Shape", "View"])


def register():
    """Blender calls this when the extension is enabled; a script with the bpy module calls it itself."""
    import atexit

    import bpy

    from . import operators, panels, preferences, properties

    for part in (preferences, operators, properties, panels):
        part.register()
    command.append(bpy.utils.register_cli_command("maquette", _command))
    if not bpy.app.binary_path:  # bpy.app.module says it too, but not in 4.2 and 4.3
        # Blender as a Python module hangs in its own exit over operator classes that scripts left registered (4.5).
        atexit.register(unregister)


def unregister():
    """The reverse of register; the worker ends and running work is dropped."""
    import atexit

    import bpy

    from . import operators, panels, preferences, properties

    if not command:  # left by the exit handler already, before Blender disables what is enabled
        return
    atexit.unregister(unregister)
    bpy.utils.unregister_cli_command(command.pop())
    for part in (panels, properties, operators, preferences):
        part.unregister()


def _command(arguments: list[str]) -> int:
    """`blender --command maquette ...`: the command line, with the Python and device of the preferences."""
    from . import cli
    from .operators import compute

    try:
        return cli.main(arguments, **compute.for_command_line())
    finally:
        compute.release()
