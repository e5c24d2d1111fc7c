"""Builds the extension with Blender's own tool, through its Python module, and validates what came out.

python .ci/zip.py [FOLDER]     the zip goes to FOLDER (dist/ unless told), its path is printed last
"""

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def blender_tool(*arguments: str) -> None:
    """Runs `blender --command extension ...`, without a Blender binary."""
    import bpy  # noqa: F401  (puts Blender's bundled add-ons on the path)
    from bl_pkg import bl_extension_cli

    code = bl_extension_cli.cli_extension_handler(list(arguments))
    if code:
        raise SystemExit(f"Blender's extension tool refused: {' '.join(arguments)}")


def build(folder: Path) -> Path:
    """Writes maquette-<version>.zip into `folder`, validated, and returns its path."""
    manifest = tomllib.loads((ROOT / "blender_manifest.toml").read_text("utf-8"))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{manifest['id']}-{manifest['version']}.zip"
    path.unlink(missing_ok=True)
    blender_tool("build", "--source-dir", str(ROOT), "--output-dir", str(folder))
    blender_tool("validate", str(path))
    return path


if __name__ == "__main__":
    print(build(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "dist").resolve()))
