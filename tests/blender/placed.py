"""A capture as the operator places it, without the worker."""


def placed(bpy, name, points, faces, cameras, box):
    """The active mesh of points (V, 3) and faces in its collection, with cameras (4, 4), "eye 0" and on, and a box."""
    from maquette.jobs.capturing import Capture
    from maquette.jobs.requests import Shape
    from maquette.operators import captured, datablocks, provenance

    lens = {"path": "", "size": [80, 60], "focal": [70, 70], "centre": [40, 30]}
    rows = [{"name": f"eye {number}", "matrix": camera} | lens for number, camera in enumerate(cameras)]
    shape = Shape(points, faces, report={"box": box, "cameras": rows}, provenance={"verb": "capture"})
    own = captured.home(bpy.context, f"/photos/{name}", shape.report)
    thing = datablocks.new_object(bpy.context, name, shape, (0, 0, 0), "smooth", own)
    provenance.write(thing, shape, Capture(f"/photos/{name}"))
    datablocks.select_only(bpy.context, [thing])
    bpy.context.view_layer.update()
    return thing
