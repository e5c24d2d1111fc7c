"""Small runs of image_to_field, runs that are killed, and what is asked of every recipe's."""

import subprocess
import sys
import time

import torch

from maquette.train.recipes import image_to_field

SMALL = {"width": 8, "encoder": 8, "library": 8, "batch": 4, "cameras": 4, "validation": 8, "threads": 1}
SMALL |= {"device": "cpu", "precision": "32-true"}


def settings(folder, run, **changes):
    """A few seconds of a small network on these shards."""
    return image_to_field.Recipe(**{**SMALL, "shards": str(folder), "run": str(run), "minutes": 0.06, **changes})


def command(folder, run, *options, before=()):
    """The same as a process of its own; how long, options say."""
    named = [f"--{name}={value}" for name, value in {**SMALL, "shards": folder, "run": run}.items()]
    start = [*before, "-m", "--"] if before else ["-m"]  # torchrun would take --run for its own without the --
    return [sys.executable, *start, "maquette.train", "image_to_field", *named, *options]


def killed(asked, run, steps):
    """Have `asked` train in the folder `run` and kill it (SIGKILL) as soon as there is a checkpoint, before the end."""
    running = subprocess.Popen(asked, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        until = time.monotonic() + 120
        while not (run / "last.pt").exists() and time.monotonic() < until and running.poll() is None:
            time.sleep(0.005)
    finally:
        running.kill()
        running.wait()
    halfway = torch.load(run / "last.pt", weights_only=True)["state"]["step"]
    assert 0 < halfway < steps, "killed too late to say anything"


def alike(whole, broken):
    """Two runs ended bit for bit alike: weights, average, optimisers, data and random states. -> the second's end"""
    first, again = (torch.load(run / "last.pt", weights_only=True) for run in (whole, broken))
    for name in ("network", "averaged", "optimisers", "processes", "random"):
        assert same(first[name], again[name]), name
    return again["state"]


def same(a, b):
    """Bit for bit, whatever is nested in what."""
    if torch.is_tensor(a):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def losses(recipe, network, batch, plan, steps, rate, progress=0.0):
    """The loss at each of some plain steps on one batch."""
    optimiser, found = torch.optim.AdamW(network.parameters(), lr=rate), []
    for _ in range(steps):
        total, _ = recipe.loss(network, batch, plan, progress)
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        found.append(total.item())
    return found
