"""Which device a network runs on, and what happens when it has too little memory."""

import time

import torch
from torch import nn

FASTEST_FIRST = ("cuda", "mps", "cpu")


def available() -> list[str]:
    """The devices of this machine, fastest first; "cpu" is always last."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    return [name for name in FASTEST_FIRST if there[name]]


def pick(name: str = "auto") -> torch.device:
    """The device called `name`, or for "auto" the fastest. Raises ValueError when this machine lacks it."""
    there = available()
    if name == "auto":
        return torch.device(there[0])
    if name not in there:
        raise ValueError(f"torch {torch.__version__} finds no {name} device on this machine; choose auto or cpu")
    return torch.device(name)


def for_fields(name: str = "auto") -> torch.device:
    """The device that a RadianceField is fitted on: Apple's lacks some of what that takes, so there it is the CPU."""
    where = pick(name)
    return torch.device("cpu") if where.type == "mps" else where


def narrow(device: torch.device) -> bool:
    """Whether small networks are worth running in bfloat16 there, beside all else in float32."""
    return device.type == "cuda" and torch.cuda.is_bf16_supported()


def narrow_convolutions() -> bool:
    """Whether the processor computes in bfloat16; else oneDNN falls back to a kernel a hundred times slower."""
    return torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()


def out_of_memory(error: BaseException) -> bool:
    """Whether an error means that a device, or the machine, had too little memory."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(
        words in text for words in ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")
    )


def with_less_memory(work, device: torch.device, chunks=(1, 4, 16), say=lambda note: None):
    """The result of work(device, chunks), tried with its work cut into more and more `chunks`, then on the CPU.

    `say` is told, in one sentence, whenever something smaller is tried. Other errors pass through."""
    attempts = [(device, count) for count in chunks]
    if device.type != "cpu":
        attempts += [(torch.device("cpu"), count) for count in chunks]
    for index, (where, count) in enumerate(attempts):
        try:
            return work(where, count)
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error) or index == len(attempts) - 1:
                raise
        # Outside the except clause: there the error still holds the frames, and with them the tensors.
        _give_back(where)
        following = attempts[index + 1][0]
        way = "going on in smaller pieces" if following == where else "going on with the CPU, which is slower"
        say(f"{_title(where)} ran out of memory: {way}")
    raise AssertionError("unreachable: the last attempt returns or raises")


def examine(asked: str = "auto") -> list[dict]:
    """A real 3D convolution on each device (or the one asked for): name, label, ok, seconds, note."""
    return [_examine_one(name) for name in (available() if asked == "auto" else [asked])]


def _examine_one(name: str) -> dict:
    row = {"name": name, "label": "", "ok": False, "seconds": 0.0, "note": ""}
    try:
        device = pick(name)
        row["label"] = torch.cuda.get_device_name(device) if name == "cuda" else f"{torch.get_num_threads()} threads"
        generator = torch.Generator().manual_seed(0)
        convolution = nn.Conv3d(4, 8, 3, padding=1)
        grid = torch.randn(1, 4, 16, 16, 16, generator=generator)
        with torch.no_grad():
            expected = _by_hand(convolution, grid)
            convolution, grid = convolution.to(device), grid.to(device)
            convolution(grid).cpu()  # the first call loads kernels
            start = time.perf_counter()
            result = convolution(grid).cpu()
            row["seconds"] = time.perf_counter() - start
        worst = (result - expected).abs().max().item()
        row["ok"] = worst < 0.02  # half-precision accumulation (TF32) is fine, a wrong kernel is not
        row["note"] = "" if row["ok"] else f"a convolution came out wrong by {worst:.3g}"
    except Exception as error:  # a driver fault raises anything, and saying so is what this is for
        row["note"] = " ".join(str(error).split())[:300]
    return row


def _by_hand(convolution: nn.Conv3d, grid: torch.Tensor) -> torch.Tensor:
    """The same convolution as shifted sums, for comparison. grid (1, C, X, Y, Z)."""
    size = grid.shape[-1]
    padded = nn.functional.pad(grid, (1,) * 6)
    total = convolution.bias.view(1, -1, 1, 1, 1).expand(1, -1, size, size, size).clone()
    for x in range(3):
        for y in range(3):
            for z in range(3):
                part = padded[:, :, x : x + size, y : y + size, z : z + size]
                total += torch.einsum("oc,bcxyz->boxyz", convolution.weight[:, :, x, y, z], part)
    return total


def _give_back(device: torch.device):
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def _title(device: torch.device) -> str:
    return {"cuda": "The graphics card", "mps": "The graphics unit", "cpu": "The computer"}[device.type]


def versions(where: torch.device) -> dict:
    """What results depend on besides the weights: device, torch and threads."""
    return {"device": str(where), "torch": torch.__version__, "threads": torch.get_num_threads()}
