"""The command in a process of its own, and what it says."""

RUN = """
import sys
from importlib.util import module_from_spec, spec_from_file_location
root = sys.argv.pop(1)
spec = spec_from_file_location("maquette", root + "/__init__.py", submodule_search_locations=[root])
sys.modules["maquette"] = module_from_spec(spec)
spec.loader.exec_module(sys.modules["maquette"])
from maquette.cli import main
code = main()
print("loaded:", *sorted({"torch", "bpy", "scipy", "PIL"} & set(sys.modules)), file=sys.stderr)
sys.exit(code)
"""


def one_line(text: str) -> str:
    """The only line, without `maquette: `."""
    (line,) = text.splitlines()
    assert line.startswith("maquette: ")
    return line.removeprefix("maquette: ")
