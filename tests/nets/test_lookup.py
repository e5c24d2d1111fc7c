"""Values between a cell's corners, found without a processor's own way: plainly, and by Triton's kernels."""

import os
import subprocess
import sys

import pytest
import torch

from maquette.nets import lookup
from maquette.nets.voxel_grid import VoxelGrid

NO_TRITON = "Triton is made for Linux on x86-64"
CPU = torch.device("cpu")


def some(channels):
    torch.manual_seed(0)
    grid = VoxelGrid(torch.rand(8, 8, 8) < 0.4)
    cell = grid.active.nonzero()
    cell = cell[torch.randint(len(cell), (200,))]
    points = (cell + torch.rand(200, 3)) / 8 - 0.5
    return grid, torch.rand(len(grid), channels), points


@pytest.mark.parametrize("channels", [1, 11])
def test_plain_operations_do_as_the_processor(channels):
    grid, table, points = some(channels)
    grad, found = torch.rand(200, channels), []
    for look in (grid.at, lambda *pair: lookup.Trilinear.apply(*pair, grid)):
        wanted = table.clone().requires_grad_()
        values = look(wanted, points)
        values.backward(grad)
        found.append((values.detach(), wanted.grad))
    for one, other in zip(*found):
        torch.testing.assert_close(one, other)


def test_a_kernel_that_is_wrong_is_not_used():
    class Wrong:
        mixed, spread = lookup.mixed, staticmethod(lambda *given: lookup.spread_plainly(*given) * 1.01)

    class Right:
        mixed, spread = staticmethod(lookup.mixed), staticmethod(lookup.spread_plainly)

    assert lookup.agree(Right, CPU, VoxelGrid) and not lookup.agree(Wrong, CPU, VoxelGrid)
    assert lookup.kernels_for(CPU, VoxelGrid) is None


INTERPRETED = """
import torch
from maquette.nets import lookup, lookup_triton
from maquette.nets.voxel_grid import VoxelGrid
assert lookup.agree(lookup_triton, torch.device("cpu"), VoxelGrid)
grid = VoxelGrid(torch.ones(4, 4, 4, dtype=torch.bool))
nothing = torch.zeros(0, 3)
assert lookup_triton.mixed(torch.rand(125, 2), nothing, grid).shape == (0, 2)
one = torch.rand(125, 1)
points = torch.rand(300, 3) - 0.5
torch.testing.assert_close(lookup_triton.mixed(one, points, grid), lookup.mixed(one, points, grid))
print("agree")
"""

COMPILED = """
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from maquette.nets import lookup_triton
for kernel, first in ((lookup_triton.mix, "table"), (lookup_triton.unmix, "grad")):
    for card in (75, 90):
        for channels, wide in ((1, 1), (11, 16)):
            given = {first: "*fp32", "points": "*fp32", "rows": "*i32", "out": "*fp32", "count": "i32", "n": "i32"}
            known = {"CHANNELS": channels, "WIDE": wide, "BLOCK": lookup_triton.BLOCK}
            source = ASTSource(kernel, given | dict.fromkeys(known, "constexpr"), constexprs=known)
            assert triton.compile(source, target=GPUTarget("cuda", card, 32)).asm["cubin"]
print("compiled")
"""


def alone(script, **more):
    """Triton decides once in a process how its kernels run."""
    done = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | more, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.split()[-1]


def test_triton_s_kernels_do_as_plain_operations():
    pytest.importorskip("triton", reason=NO_TRITON)
    assert alone(INTERPRETED, TRITON_INTERPRET="1") == "agree"


def test_triton_s_kernels_compile_for_graphics_cards(tmp_path):
    pytest.importorskip("triton", reason=NO_TRITON)
    assert alone(COMPILED, TRITON_CACHE_DIR=str(tmp_path)) == "compiled"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no graphics card")
def test_triton_s_kernels_do_so_on_a_graphics_card():
    pytest.importorskip("triton", reason=NO_TRITON)
    assert lookup.kernels_for(torch.device("cuda"), VoxelGrid) is not None
