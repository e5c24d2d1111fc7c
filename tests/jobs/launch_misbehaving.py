"""launch.py for a worker that knows the verb `misbehave` besides; what a test puts into MAQUETTE_TEST comes first."""

import importlib.util
import os
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fault = os.environ.get("MAQUETTE_TEST", "")
if fault == "stuck at start":
    time.sleep(600)
if fault == "dead at start":
    sys.exit("I never came to life")
if fault == "noisy at start":
    os.write(1, b"a .pth file greets you\n[1, 2, 3]\n\xff\xfe no newline at the end")

launch = load("launch", ROOT / "jobs" / "launch.py")
incoming, outgoing = launch.claim_wire()
launch.load_root(str(ROOT))
load("maquette.jobs.misbehave", HERE / "misbehave.py")

from maquette.jobs import worker  # noqa: E402

if fault == "slow to answer":
    time.sleep(1.5)
if fault.startswith("slow to load"):  # as importing torch from a cold disk is
    seconds, found = float(fault.split()[-1]), worker.verb
    worker.verb = lambda request: time.sleep(seconds) or found(request)
code = worker.main(incoming, outgoing, sys.argv[1:])
sys.stdout.flush()
os._exit(code)
