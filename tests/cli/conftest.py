"""The command run in this process, with a worker that stays warm for a file's tests."""

import numpy as np
import pytest

from maquette import cli
from maquette.geometry.field import Field
from maquette.jobs import client


@pytest.fixture(scope="module", autouse=True)
def warm():
    """One worker for all calls in this process."""
    before, client._shared = client._shared, client.Worker()
    yield
    client._shared.close()
    client._shared = before


@pytest.fixture
def maquette(capsys):
    """Run a command; returns (exit code, stdout, stderr)."""

    def run(*arguments, **settings):
        code = cli.main([str(argument) for argument in arguments], **settings)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def field(tmp_path):
    """A ball's field in a folder that is not ASCII."""
    centres = (np.arange(24) + 0.5) / 24 - 0.5
    distance = np.linalg.norm(np.stack(np.meshgrid(centres, centres, centres)), axis=0)
    folder = tmp_path / "Körper"
    folder.mkdir()
    Field((0.4 - distance).astype(np.float32), 0.0, np.array([[-0.5] * 3, [0.5] * 3])).save(folder / "kugel.npz")
    return folder / "kugel.npz"
