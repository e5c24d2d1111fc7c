"""Doctor: what runs here. A real convolution on each device, the weights, versions and folders."""

import dataclasses
import importlib
import importlib.metadata
import platform
import sys
import tempfile

from .. import __version__
from . import environment, requests

LIBRARIES = {
    "torch": "torch",
    "numpy": "numpy",
    "scipy": "scipy",
    "scikit-image": "skimage",
    "Pillow": "PIL",
    "trimesh": "trimesh",
    "fast-simplification": "fast_simplification",
    "xatlas": "xatlas",
    "safetensors": "safetensors",
}


def doctor(request: requests.Doctor, progress, cancelled) -> requests.Diagnosis:
    """Everything that an issue thread would ask for; a device that fails is a finding, not an error."""
    progress(0.1, "Libraries")
    report = {"versions": versions()}
    progress(0.4, "Devices", "a convolution on each")
    report["devices"] = devices(request.device)
    progress(0.8, "Weights")
    report["weights"] = weights()
    report["folders"] = {
        "python": sys.executable,
        "extension": str(environment.ROOT),
        "fields": environment.fields_folder(request.cache),
        "temporary": tempfile.gettempdir(),
    }
    working = [device["name"] for device in report["devices"] if device["ok"]]
    diagnosis = requests.Diagnosis(bool(working), working[0] if working else "none", report)
    return dataclasses.replace(diagnosis, ok=not diagnosis.trouble())


def versions() -> dict[str, str]:
    """Name -> version, or what went wrong when it was loaded; all are really imported."""
    found = {"maquette": __version__, "python": platform.python_version(), "system": platform.platform()}
    for name, module in LIBRARIES.items():
        try:
            loaded = importlib.import_module(module)
            found[name] = getattr(loaded, "__version__", None) or importlib.metadata.version(name)
        except Exception as error:  # a broken install raises anything, and saying so is this verb's work
            found[name] = f"MISSING: {type(error).__name__}: {error}"
    return found


def devices(asked: str) -> list[dict]:
    """One row a device, best first: name, label, ok, seconds, note."""
    try:
        from ..nets import device
    except ImportError as error:
        return [{"name": "cpu", "label": "", "ok": False, "seconds": 0.0, "note": str(error)}]
    return device.examine(asked)


def weights() -> list[dict]:
    """One row a network of the catalogue: name, ok, note."""
    try:
        from ..nets import catalog, checkpoint
    except ImportError as error:
        return [{"name": "networks", "ok": False, "note": str(error)}]
    rows = []
    for name, network in catalog.CATALOG.items():
        if not network.needed and not catalog.bundled(name):
            rows.append({"name": name, "ok": True, "note": "not bundled"})
            continue
        try:
            checkpoint.load(name, "cpu")
            rows.append({"name": name, "ok": True, "note": ""})
        except Exception as error:  # any fault of the file is a finding
            rows.append({"name": name, "ok": False, "note": str(error)})
    return rows
