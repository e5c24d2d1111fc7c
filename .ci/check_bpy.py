#!/usr/bin/env python3
"""Says in one sentence why Blender's module does not load in this Python, and what to install; exits 1 then."""

import importlib.util
import subprocess
import sys

PACKAGES = {
    "libXi.so": "libxi6",
    "libXfixes.so": "libxfixes3",
    "libXrender.so": "libxrender1",
    "libXxf86vm.so": "libxxf86vm1",
    "libX11.so": "libx11-6",
    "libxkbcommon.so": "libxkbcommon0",
    "libSM.so": "libsm6",
    "libICE.so": "libice6",
    "libGL.so": "libgl1",
    "libEGL.so": "libegl1",
    "libgomp.so": "libgomp1",
}


def missing_packages(listing: str) -> list[str]:
    """The Debian packages of what ldd's `listing` did not find; a library of no known package as itself."""
    absent = [line.split()[0] for line in listing.splitlines() if "not found" in line]
    return sorted({next((p for stem, p in PACKAGES.items() if name.startswith(stem)), name) for name in absent})


def main() -> int:
    spec = importlib.util.find_spec("bpy")
    if spec is None:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        print(
            f"Blender's module bpy is not in this Python {version}; it exists for 3.11 and 3.13: remove .venv and"
            " run `make setup PYTHON=python3.11`",
            file=sys.stderr,
        )
        return 1
    probe = subprocess.run([sys.executable, "-c", "import bpy"], capture_output=True, text=True)
    if probe.returncode == 0:
        return 0
    packages = []
    if sys.platform == "linux":
        packages = missing_packages(subprocess.run(["ldd", spec.origin], capture_output=True, text=True).stdout)
    if packages:
        print(
            f"Blender's module does not load: install what it lacks with\n  apt-get install {' '.join(packages)}",
            file=sys.stderr,
        )
    else:
        print(f"Blender's module does not load (exit {probe.returncode}):\n{probe.stderr.strip()}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
