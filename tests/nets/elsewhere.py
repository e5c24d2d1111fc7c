"""A device that is not the processor, to run on where there is no graphics card: its tensors do not mix with others."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

NAME = "lazy"
"""One of torch's devices that no build has kernels for"""
MAY_MIX = ("copy", "index")
"""Operations between devices: copies, and looking up by numbers that lie elsewhere"""


class Tensor(torch.Tensor):
    """A tensor that says it lies elsewhere; `inner` holds its numbers."""

    @staticmethod
    def __new__(cls, inner):
        layout = {"strides": inner.stride(), "storage_offset": inner.storage_offset(), "dtype": inner.dtype}
        return torch.Tensor._make_wrapper_subclass(cls, inner.size(), device=NAME, **layout)

    def __init__(self, inner):
        self.inner = inner

    @classmethod
    def __torch_dispatch__(cls, operation, types, args=(), kwargs=None):
        return computed(operation, args, kwargs or {})


class Elsewhere(TorchDispatchMode):
    """In its scope tensors can be made on device NAME; RuntimeError where one meets a tensor of the processor."""

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        return computed(operation, args, kwargs or {})


def computed(operation, args, kwargs):
    tensors = [one for one in tree_flatten((args, kwargs))[0] if isinstance(one, torch.Tensor)]
    elsewhere = [one for one in tensors if isinstance(one, Tensor)]
    here = [one for one in tensors if not isinstance(one, Tensor) and one.ndim]
    first_here = bool(tensors) and not isinstance(tensors[0], Tensor)
    mixes = any(word in operation.__name__ for word in MAY_MIX) and not ("index" in operation.__name__ and first_here)
    if elsewhere and here and not mixes:
        raise RuntimeError(f"{operation} mixes devices")
    asked = kwargs.get("device")
    kwargs = kwargs | ({"device": torch.device("cpu")} if asked is not None else {})
    result = operation(*tree_map(inner, args), **tree_map(inner, kwargs))
    if torch.device(asked).type != NAME if asked is not None else not elsewhere:
        return result
    same = {id(one.inner): one for one in elsewhere}  # what was changed in place stays the tensor that it was

    def outer(one):
        if not isinstance(one, torch.Tensor):
            return one
        return same[id(one)] if id(one) in same else Tensor(one)

    return tree_map(outer, result)


def inner(one):
    return one.inner if isinstance(one, Tensor) else one
