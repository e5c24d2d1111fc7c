"""Starts the worker: `<python> launch.py`. Claims the wire first, then loads this extension under the name `maquette`.

The folder may be called anything (a version with dots, a name with spaces), and inside Blender the package has another
name that no other Python can import: so it is loaded from its place. Nothing but the standard library is imported here.
"""

import os
import sys


def claim_wire():
    """(requests in, messages out) as private file descriptors; everybody else's output goes to the log.

    After this a print, or a C library that writes to descriptor 1, cannot break the wire, and nothing that reads the
    keyboard, here or in a child process, can swallow a request."""
    incoming, outgoing = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return incoming, outgoing


def load_root(root):
    """The package in the folder `root`, as `maquette`."""
    from importlib.util import module_from_spec, spec_from_file_location

    path = os.path.join(root, "__init__.py")
    spec = spec_from_file_location("maquette", path, submodule_search_locations=[root])
    package = module_from_spec(spec)
    sys.modules["maquette"] = package
    spec.loader.exec_module(package)
    return package


def main():
    """Serve until stdin closes; returns the exit code."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.dont_write_bytecode = True
    # jobs/ holds a requests.py, which other packages would take for the library of that name.
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or os.curdir) != here]
    incoming, outgoing = claim_wire()
    load_root(os.path.dirname(here))
    from maquette.jobs import worker

    return worker.main(incoming, outgoing, sys.argv[1:])


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # No interpreter shutdown: GPU libraries have been seen to hang or crash in it, and all that matters is written.
    os._exit(code)
