"""Choosing a device, and what happens when memory runs out."""

import pytest
import torch

from maquette.nets import device

CPU = torch.device("cpu")


def test_auto_is_the_fastest_there_is():
    assert device.pick("auto").type == device.available()[0]
    assert device.pick("cpu") == CPU and device.available()[-1] == "cpu"


def test_a_device_that_is_not_there_is_one_sentence(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="finds no cuda device on this machine; choose auto or cpu"):
        device.pick("cuda")


def work_that_fits(fits):
    """Work that runs out of memory until `fits(device, chunks)`, and the attempts it saw."""
    seen = []

    def work(where, chunks):
        seen.append((where.type, chunks))
        if not fits(where, chunks):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return "done"

    return work, seen


def test_work_that_fits_is_done_once_and_silently():
    work, seen = work_that_fits(lambda where, chunks: True)
    said = []
    assert device.with_less_memory(work, CPU, say=said.append) == "done"
    assert seen == [("cpu", 1)] and not said


def test_memory_first_costs_pieces_then_the_device_and_is_said():
    work, seen = work_that_fits(lambda where, chunks: where.type == "cpu" and chunks > 1)
    said = []
    assert device.with_less_memory(work, torch.device("cuda"), (1, 4), said.append) == "done"
    assert seen == [("cuda", 1), ("cuda", 4), ("cpu", 1), ("cpu", 4)]
    assert said == [
        "The graphics card ran out of memory: going on in smaller pieces",
        "The graphics card ran out of memory: going on with the CPU, which is slower",
        "The computer ran out of memory: going on in smaller pieces",
    ]


def test_when_nothing_fits_the_error_stays():
    work, seen = work_that_fits(lambda where, chunks: False)
    with pytest.raises(torch.OutOfMemoryError):
        device.with_less_memory(work, CPU, (1, 2))
    assert len(seen) == 2


def test_other_errors_are_not_taken_for_memory():
    def work(where, chunks):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="mat1"):
        device.with_less_memory(work, torch.device("cuda"))


def test_a_real_allocation_that_cannot_be_is_recognised():
    with pytest.raises(RuntimeError) as error:
        torch.empty(2**60, dtype=torch.uint8)
    assert device.out_of_memory(error.value)


def test_the_examination_catches_a_wrong_kernel(monkeypatch):
    assert device.examine("cpu")[0]["ok"]
    real = device._by_hand
    monkeypatch.setattr(device, "_by_hand", lambda *arguments: real(*arguments) + 0.1)
    row = device.examine("cpu")[0]
    assert not row["ok"] and "came out wrong by 0.1" in row["note"]
