"""Where the worker's Python is, and what it inherits from this process. Standard library only."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

WHERE_TO_SET_IT = "open Edit > Preferences > Add-ons > Maquette and set Python"
NEEDED = ("torch", "numpy", "scipy", "skimage", "PIL", "trimesh", "fast_simplification", "xatlas", "safetensors")
OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parents[1]
"""The extension's folder: the package."""
_INSIDE = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
_PROBE = (
    "import sys, json, importlib.util as u, importlib.metadata as m\n"
    "def version(name):\n"
    "    try: return m.version(name)\n"
    "    except Exception: return '?'\n"
    f"missing = [n for n in {NEEDED!r} if u.find_spec(n) is None]\n"
    "print('maquette-probe ' + json.dumps({'version': list(sys.version_info[:3]), 'missing': missing,\n"
    "      'torch': '' if 'torch' in missing else version('torch')}))\n"
)
_probed = {}
PATIENCE = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "2000"}
"""How threads wait for each other. Spinning at length, as they would, takes ten times as long beside other work; not
spinning at all, as PASSIVE says, two cores are no faster than one. GNU's OpenMP can do a little of it."""


class NoEnvironment(ValueError):
    """No Python can run the worker; the text says where to set one."""


@dataclass(frozen=True)
class Environment:
    """A Python that can run the worker."""

    python: str
    source: str
    """"preferences", "managed" or "running"."""
    version: str
    torch: str
    missing: tuple[str, ...] = ()
    """Modules that some verbs need and this Python lacks; never torch."""


def find_python(preference: str = "", user_folder: str = "") -> Environment:
    """The Python named in preferences, else the managed environment, else the running interpreter if it has torch.

    A Python that was named but does not serve is an error, not passed over: the artist meant that one.
    Asks each candidate what it has, once per process (some 50 ms). Raises NoEnvironment with one sentence."""
    if preference:
        return _serves(os.path.abspath(os.path.expanduser(preference)), "preferences")
    managed = managed_python(user_folder)
    if managed and os.path.exists(managed):
        return _serves(managed, "managed")
    running = sys.executable or ""
    if os.path.basename(running).lower().startswith("python"):
        try:
            return _serves(running, "running")
        except NoEnvironment:
            pass  # Blender's own Python: expected to lack torch, and the sentence below says what to do
    raise NoEnvironment(f"Maquette found no Python with torch: {WHERE_TO_SET_IT}")


def managed_python(user_folder: str) -> str:
    """Where an environment made for the artist has its Python, whether or not it exists; "" without a folder."""
    if not user_folder:
        return ""
    return os.path.join(user_folder, "compute", *_INSIDE)


def child_environment() -> dict[str, str]:
    """This process's environment without what would leak its Python into another one's."""
    leaks = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONEXECUTABLE", "PYTHONINSPECT", "__PYVENV_LAUNCHER__")
    inherited = {name: value for name, value in os.environ.items() if name not in leaks}
    if "OMP_WAIT_POLICY" not in inherited:
        inherited = PATIENCE | inherited
    # No bytecode into the extension's folder; and jobs/, where launch.py lies, stays off the path: it has a
    # requests.py, which other packages would take for the library of that name.
    return inherited | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONSAFEPATH": "1", "PYTHONUTF8": "1"}


def hidden_window() -> dict:
    """Popen arguments that keep a console window from flashing up on Windows."""
    return {"creationflags": subprocess.CREATE_NO_WINDOW} if os.name == "nt" else {}


def cache_folder() -> str:
    """The system's cache folder for Maquette, used outside Blender."""
    if os.name == "nt":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return os.path.join(base, "maquette")


def fields_folder(cache: str = "") -> str:
    """Where fields are kept in a cache folder; "" is the system's."""
    return os.path.join(cache or cache_folder(), "fields")


def captures_folder(cache: str = "") -> str:
    """Where captures leave what they can be resumed from, and cameras that were found; "" is the system's."""
    return os.path.join(cache or cache_folder(), "captures")


def capture_file(
    folder: str, resolution: int, holdout: int = 0, cache: str = "", box=(), method: str = "auto"
) -> str:
    """Where a capture of a folder's photos, or of what is in a box, leaves what it can be resumed from."""
    asked = [os.path.abspath(folder), resolution, holdout, *box, *([] if method == "auto" else [method])]
    key = hashlib.sha256(repr(asked).encode()).hexdigest()[:32]
    return os.path.join(captures_folder(cache), f"{key}.safetensors")


def field_file(key: str, cache: str = "") -> str:
    """Where the field with this key lies in the cache, whether or not it is still there."""
    return os.path.join(fields_folder(cache), f"{key}.npz")


def _serves(python: str, source: str) -> Environment:
    """`python` as an Environment, or NoEnvironment saying what is wrong with it."""
    if os.path.isdir(python):  # the folder of an environment: its Python is meant
        python = os.path.join(python, *_INSIDE)
    if not os.path.isfile(python):
        raise NoEnvironment(f"{python} does not exist: {WHERE_TO_SET_IT}")
    key = (python, os.stat(python).st_mtime_ns)
    found = _probed.get(key) or _probe(python)
    if isinstance(found, str):
        raise NoEnvironment(f"{python} did not run as a Python ({found}): {WHERE_TO_SET_IT}")
    version = ".".join(map(str, found["version"]))
    if tuple(found["version"]) < OLDEST:
        raise NoEnvironment(f"{python} is Python {version}; Maquette needs 3.11 or newer: {WHERE_TO_SET_IT}")
    for module in ("torch", "numpy"):
        if module in found["missing"]:
            raise NoEnvironment(f"{python} has no {module}; install it there, or {WHERE_TO_SET_IT}")
    _probed[key] = found  # only what serves is remembered: what does not may be mended before the next click
    return Environment(python, source, version, found["torch"], tuple(found["missing"]))


def _probe(python: str) -> dict | str:
    """What `python` is and lacks, or what went wrong when it was asked."""
    try:
        answer = subprocess.run(
            [python, "-c", _PROBE],
            env=child_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            **hidden_window(),
        )
    except subprocess.TimeoutExpired:
        return "no answer within a minute"
    except OSError as error:
        return error.strerror or str(error)
    for line in answer.stdout.decode("utf-8", "replace").splitlines():
        if line.startswith("maquette-probe "):
            return json.loads(line.removeprefix("maquette-probe "))
    words = answer.stderr.decode("utf-8", "replace").strip().splitlines()
    return words[-1] if words else f"exit code {answer.returncode}"
