"""What an issue thread needs to know, on the clipboard."""

import platform

import bpy

from .. import __version__
from . import compute, tasks


class MAQUETTE_OT_copy_report(bpy.types.Operator):
    """Copy versions, the last error and the worker's log to the clipboard, for an issue report"""

    bl_idname = "maquette.copy_report"
    bl_label = "Copy Report"

    def execute(self, context):
        context.window_manager.clipboard = report()
        self.report({"INFO"}, "The report is on the clipboard")
        return {"FINISHED"}


def report() -> str:
    """Versions, environment, last error, the worker's last words."""
    found = compute.Found
    lines = [
        f"Maquette {__version__}, Blender {bpy.app.version_string}, {platform.platform()}",
        f"Compute: {found.note}",
        f"Error: {tasks.Status.error or 'none'}",
    ]
    if found.diagnosis:
        lines += ["", "Check:", *found.diagnosis.lines()]
    if tasks.Status.log:
        lines += ["", "The worker's last words:", tasks.Status.log]
    return "\n".join(lines)
