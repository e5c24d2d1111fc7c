"""Find out what runs here: a real kernel on each device, versions, folders."""

import bpy

from ..jobs.requests import Doctor
from . import compute
from .base import JobOperator


class MAQUETTE_OT_doctor(JobOperator, bpy.types.Operator):
    """Run a small network on each device and say what works"""

    bl_idname = "maquette.doctor"
    bl_label = "Check"

    undoable = False

    def requests(self, context):
        compute.Found.diagnosis = None
        compute.look()
        return [Doctor(device=compute.device(), cache=compute.cache())]

    def receive(self, context, answers):
        diagnosis = answers[0].result
        compute.Found.diagnosis = diagnosis
        for line in diagnosis.lines():
            self.report({"INFO"}, line)
        if not diagnosis.ok:
            raise ValueError("\n".join(diagnosis.trouble()))
        self.report({"INFO"}, f"Maquette works here, on {diagnosis.device}")  # last, for the status bar shows one line
