"""blender --background --python prepare.py -- ZIP PYTHON: install and enable the zip, and quiet the start-up.

PYTHON goes into the preference of that name ("" leaves it empty); everything lands in BLENDER_USER_RESOURCES.
"""

import sys

import bpy

zip_path, python = sys.argv[sys.argv.index("--") + 1 :]
bpy.ops.extensions.package_install_files(filepath=zip_path, repo="user_default", enable_on_install=True)
preferences = bpy.context.preferences
addon = preferences.addons["bl_ext.user_default.maquette"]
if python:
    addon.preferences.python = python
preferences.view.show_splash = False  # it covers the sidebar
preferences.view.smooth_view = 0
preferences.system.viewport_aa = "OFF"  # software OpenGL draws it many times otherwise
preferences.filepaths.use_auto_save_temporary_files = False
preferences.use_preferences_save = False
bpy.ops.wm.save_userpref()
