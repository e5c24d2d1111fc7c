"""Which Python computes, and the worker in it: what preferences say, turned into a connection."""

import os
import threading

import bpy

from .. import __package__ as root
from .. import preferences
from ..jobs import client, environment
from ..jobs.requests import Diagnosis


class Found:
    """What is known about the compute environment; the panels read it through properties."""

    ok = False
    note = "Looking for a Python with torch"
    looking: threading.Thread | None = None
    diagnosis: Diagnosis | None = None


def user_folder() -> str:
    """This extension's folder for files that may be written, "" where it is not installed as an extension."""
    try:
        return bpy.utils.extension_path_user(root, create=True)
    except ValueError:  # registered by a script, from a checkout
        return ""


def cache() -> str:
    """Where fields are cached; "" lets the worker take the system's folder."""
    return user_folder()


def device() -> str:
    """The device to ask for; "auto" leaves it to the worker."""
    return preferences.read().device


def connect() -> client.Worker:
    """The warm worker that preferences ask for. Raises ValueError saying where to set Python when there is none."""
    wanted = preferences.read()
    found = environment.find_python(bpy.path.abspath(wanted.python), user_folder())
    return client.worker(python=found.python, device=wanted.device, idle=wanted.idle_minutes * 60)


def for_command_line() -> dict:
    """What preferences say, for cli.main."""
    wanted = preferences.read()
    return {"python": bpy.path.abspath(wanted.python), "device": wanted.device, "user_folder": user_folder()}


def warm() -> bool:
    """Whether a worker process is up, without starting one."""
    shared = client.shared()
    return shared is not None and shared.running


def release():
    """End the worker, if there is one; its memory is free at once."""
    Found.diagnosis = None
    if client.shared():
        client.shared().close()


def look():
    """Find out in the background whether preferences lead to a Python with torch; asking it takes a moment."""
    named, folder = bpy.path.abspath(preferences.read().python), user_folder()

    def ask():  # touches nothing of Blender's: the panels read Found when they draw
        try:
            found = environment.find_python(named, folder)
            outcome = True, f"torch {found.torch}, Python {found.version}"
        except (ValueError, OSError) as error:
            outcome = False, str(error)
        if Found.looking is threading.current_thread():  # else a newer look is on its way
            Found.ok, Found.note = outcome
            Found.looking = None

    Found.ok, Found.note = False, "Looking for a Python with torch"
    Found.looking = threading.Thread(target=ask, name="maquette looks for torch", daemon=True)
    Found.looking.start()


def field_path(key: str) -> str:
    """The cached field's file, whether or not it is still there; `key` may be a path already."""
    return environment.field_file(key, cache()) if not os.path.dirname(key) else key


def register():
    if not bpy.app.background:
        look()


def unregister():
    Found.looking = None
    release()
