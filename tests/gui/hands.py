"""Eyes and hands of the person at the window: find a button, press it, type a key, take a picture, wait for something.

Runs inside a Blender that was started with `--enable-event-simulate`. Whatever takes time is a generator that yields
seconds; `drive.py` lets Blender draw and run its operators meanwhile. Positions are pixels of the window, from its
lower left corner.
"""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import bpy

OUT = Path("/share")
PICTURES = OUT / "pictures"
TAB = "Maquette"


def window():
    return bpy.context.window_manager.windows[0]


def status():
    """WindowManager.maquette: what the panel shows of a running job."""
    return bpy.context.window_manager.maquette


def viewport():
    return next(area for area in window().screen.areas if area.type == "VIEW_3D")


def region(kind):
    """The viewport's region of that kind: UI is the sidebar, WINDOW the 3D view, HUD the panel of the last operator."""
    return next(region for region in viewport().regions if region.type == kind)


def over(kind):
    """The context that a region's own buttons and shortcuts have."""
    return bpy.context.temp_override(window=window(), area=viewport(), region=region(kind))


def centre(kind="WINDOW"):
    place = region(kind)
    return place.x + place.width // 2, place.y + place.height // 2


def until(true, what, seconds=60, every=0.05):
    """Yields till `true()`; AssertionError naming `what` after three times `seconds`, for the machine may be busy."""
    seconds *= 3
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"after {seconds} s there was still no {what}"
        yield every


def shot(name):
    """Photographs the whole screen into <name>.png (Blender's own screenshot is black under software OpenGL)."""
    yield 0.5  # panels glide into place
    for area in window().screen.areas:
        area.tag_redraw()
    yield 0.2
    subprocess.run(["import", "-window", "root", "-quality", "10", OUT / f"{name}.png"], check=True)


def look_at_selected():
    """Brings what is selected close, and hides the rest."""
    with over("WINDOW"):
        bpy.ops.view3d.view_selected()
        bpy.ops.view3d.localview(frame_selected=False)
    yield 0.3


def look_away():
    with over("WINDOW"):
        bpy.ops.view3d.localview(frame_selected=False)
    yield 0.2


def move(x, y):
    window().event_simulate(type="MOUSEMOVE", value="NOTHING", x=int(x), y=int(y))
    yield 0.03


def click(x, y):
    yield from move(x, y)
    yield from move(x + 1, y)  # a button wakes up when the mouse moves over it
    for value in ("PRESS", "RELEASE"):
        window().event_simulate(type="LEFTMOUSE", value=value, x=int(x) + 1, y=int(y))
        yield 0.05


def key(name, at="WINDOW", times=1, **modifiers):
    """Types a key (`ctrl=True`, `shift=True`) with the mouse over the middle of a region."""
    x, y = centre(at)
    yield from move(x, y)
    for _ in range(times):
        for value in ("PRESS", "RELEASE"):
            window().event_simulate(type=name, value=value, x=x, y=y, **modifiers)
            yield 0.05
    yield 0.2


def undo():
    yield from key("Z", ctrl=True)


def redo():
    yield from key("Z", ctrl=True, shift=True)


def button_here(kind):
    """What the mouse is over: `maquette.reconstruct` for an operator, `faces` for a property, else None."""
    with over(kind):
        if bpy.ops.ui.copy_python_command_button.poll():
            bpy.context.window_manager.clipboard = ""
            bpy.ops.ui.copy_python_command_button()
            return bpy.context.window_manager.clipboard.removeprefix("bpy.ops.").split("(")[0] or None
        found = bpy.context.property
        return found[1].split(".")[-1] if found else None


def find(name, kind="UI"):
    """Moves the mouse down a region, row by row, until it is over the button called `name`: its place, or None."""
    place = region(kind)
    rows = range(place.y + place.height - 6, place.y, -9)
    spots = [(place.x + int(place.width * column), y) for column in (0.35, 0.75) for y in rows]
    for x, y in [*_seen.get((name, kind), []), *spots]:
        yield from move(x, y)
        if button_here(kind) == name:
            yield from move(x, y - 3)  # again: right after a file was loaded, what was there before may answer
            if button_here(kind) == name:
                _seen[name, kind] = [(x, y)]
                return x, y - 3
    return None


_seen = {}
"""(button, region) -> where it was last; it is mostly still there."""


def forget(name, kind="UI"):
    """Looks for this button from the top again."""
    _seen.pop((name, kind), None)


def press(name, kind="UI"):
    """Clicks on a button of the sidebar (or of another region), as a person would."""
    place = yield from find(name, kind)
    assert place, f"there is no button {name} in the {kind} region"
    yield from click(*place)


def open_tab():
    """Shows the sidebar and turns to Maquette's tab."""
    viewport().spaces.active.show_region_ui = True
    yield from until(lambda: region("UI").width > 1, "sidebar", 5)
    yield 0.2
    region("UI").active_panel_category = TAB
    viewport().tag_redraw()
    yield 0.3


def open_panel(name, alone=False):
    """A new file in which this panel starts unfolded, and the one opened so before is folded again: all must fit.

    alone: the panels that are unfolded otherwise are folded too."""
    folded = [_opened.pop() for _ in list(_opened)] + (["MAQUETTE_PT_reconstruct", "MAQUETTE_PT_mesh"] if alone else [])
    for panel, options in [(name, set())] + [(other, {"DEFAULT_CLOSED"}) for other in folded if other != name]:
        kinds = family(getattr(bpy.types, panel))
        for kind in reversed(kinds):
            bpy.utils.unregister_class(kind)
        kinds[0].bl_options = options
        for kind in kinds:
            bpy.utils.register_class(kind)
    _opened.append(name)
    yield from new_file()


def family(panel):
    """A panel and all that are drawn inside it: without it they would stand alone."""
    ours = [getattr(bpy.types, name) for name in dir(bpy.types) if name.startswith("MAQUETTE_PT_")]
    inside = [kind for kind in ours if getattr(kind, "bl_parent_id", "") == panel.__name__]
    inside.sort(key=lambda kind: getattr(kind, "bl_order", 0))
    return [panel, *(one for kind in inside for one in family(kind))]


_opened = []
"""The panel that `open_panel` unfolded last."""


def drag(start, end, meanwhile=None):
    """Presses at `start`, moves to `end` in small steps, lets go: how a slider is moved.

    meanwhile: called after each step, which then takes as long as a hand needs to see what happens."""
    yield from move(*start)
    yield from move(start[0] + 1, start[1])
    window().event_simulate(type="LEFTMOUSE", value="PRESS", x=int(start[0]) + 1, y=int(start[1]))
    yield 0.05
    for part in range(1, 11):
        yield from move(*(a + (b - a) * part / 10 for a, b in zip(start, end, strict=True)))
        if meanwhile:
            yield 0.25
            meanwhile()
    window().event_simulate(type="LEFTMOUSE", value="RELEASE", x=int(end[0]), y=int(end[1]))
    yield 0.1


def result(before):
    """The one mesh object that is not among the names `before`."""
    new = set(bpy.data.objects.keys()) - set(before)
    assert len(new) == 1, f"new objects: {sorted(new)}"
    return bpy.data.objects[new.pop()]


def worker():
    """The process id of this Blender's worker, or None."""
    own = b"--parent\0%d\0" % os.getpid()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended just now
            words = (folder / "cmdline").read_bytes()
            if b"jobs/launch.py\0" in words and own in words:
                return int(folder.name)
    return None


def kill_worker():
    os.kill(worker(), signal.SIGKILL)


@contextlib.contextmanager
def frozen():
    """The worker stands still meanwhile, so that a quick job can be looked at in its middle."""
    process = worker()
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGCONT)


def new_file():
    """An empty scene, with no job running and the tab open."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=False, app_template="")
    yield 0.2
    yield from open_tab()
