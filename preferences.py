"""What holds for every file: which Python computes, on which device, and for how long it stays warm."""

import textwrap

import bpy
from bpy.props import EnumProperty, FloatProperty, StringProperty

from .jobs import requests

DEVICES = [
    ("auto", "Automatic", "The fastest device that works"),
    ("cpu", "CPU", "The processor"),
    ("cuda", "CUDA", "An NVIDIA graphics card (or AMD through ROCm)"),
    ("mps", "Metal", "Apple's graphics"),
]
assert tuple(row[0] for row in DEVICES) == requests.DEVICES


def _python_changed(self, context):
    from .operators import compute

    compute.release()  # the next click starts one in the new place
    compute.look()


def _idle_changed(self, context):
    from .operators import compute

    compute.release()


class MaquettePreferences(bpy.types.AddonPreferences):
    bl_idname = __package__

    python: StringProperty(
        name="Python",
        description="Python that has torch, or the folder of its environment. Leave empty to look for one",
        subtype="FILE_PATH",
        update=_python_changed,
    )
    device: EnumProperty(name="Device", description="Where networks run", items=DEVICES, default="auto")
    idle_minutes: FloatProperty(
        name="Keep Warm",
        description="Minutes that the worker stays ready after its last work; it then gives its memory back",
        default=10,
        min=0.1,
        soft_max=120,
        update=_idle_changed,
    )

    def draw(self, context):
        status = context.window_manager.maquette
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(self, "python")
        layout.prop(self, "device")
        layout.prop(self, "idle_minutes", text="Keep Warm (minutes)")
        column = layout.column(align=True)
        icon = "CHECKMARK" if status.environment_ok else "ERROR"
        for line in textwrap.wrap(status.environment_note, 60):  # a label would drop the middle of the sentence
            column.label(text=line, icon=icon)
            icon = "BLANK1"
        layout.operator("maquette.doctor", text="Check", icon="VIEWZOOM")
        if status.busy:
            layout.progress(factor=status.fraction, text=status.note or status.phase)
        for line in status.diagnosis.splitlines():
            layout.label(text=line)


def read(context=None):
    """The preferences, or their defaults where the package was registered without being an installed add-on."""
    addon = (context or bpy.context).preferences.addons.get(__package__)
    return addon.preferences if addon and addon.preferences else Defaults


class Defaults:
    """What the preferences say before anybody changed them."""

    python = ""
    device = "auto"
    idle_minutes = 10.0


def register():
    bpy.utils.register_class(MaquettePreferences)


def unregister():
    bpy.utils.unregister_class(MaquettePreferences)
