"""Heads drawn from MakeHuman's targets: who it is (age, gender, ethnicity), then many small changes and a few moves."""

from __future__ import annotations

import numpy as np

ETHNICITIES = ("african", "asian", "caucasian")
GENDERS = ("female", "male")
AGES = {"baby": 1.0, "child": 10.0, "young": 25.0, "old": 90.0}
"""Years that the targets stand for"""
OPPOSITES = {
    "decr": "incr", "down": "up", "in": "out", "backward": "forward", "concave": "convex", "compress": "uncompress",
    "l": "r",
}  # fmt: skip
STRENGTH = {"asym": 0.25, "trans": 0.35, "neck": 0.5, "ears": 0.8}
"""Times the usual: what moves parts as a whole, or sides apart, soon looks wrong"""
LEFT_OUT = ("asym/asymm-", "head/head-trans", "neck/neck-trans")


class Recipe:
    """Columns of weights: `targets` for identities; for each of `units`, one an ethnicity, for expressions."""

    def __init__(self, targets: tuple[str, ...], units: tuple[str, ...]):
        self.targets = tuple(name for name in targets if not name.startswith(LEFT_OUT))
        self.units = units
        at = {name: i for i, name in enumerate(self.targets)}
        try:
            self.macro = [at[f"macrodetails/{e}-{g}-{a}"] for e in ETHNICITIES for g in GENDERS for a in AGES]
        except KeyError as error:
            raise ValueError(
                f"targets/{error.args[0]}.target.gz is missing: the folder should be one of mpfb2"
            ) from None
        self.pairs = pairs(at)
        single = [name for name in at if not name.startswith("macrodetails/") and at[name] not in flat(self.pairs)]
        self.singles = choices(single, at)

    def identities(self, rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """-> weights (n, I), age and masculinity (n, 2), shares of ethnicities (n, 3)."""
        weights = np.zeros((count, len(self.targets)))
        years = self.years(rng, count)
        male = rng.beta(0.6, 0.6, count)
        ethnicity = rng.dirichlet([0.5] * len(ETHNICITIES), count)
        gender = np.stack([1 - male, male], 1)
        stages = np.stack([np.interp(years, list(AGES.values()), row) for row in np.eye(len(AGES))], 1)
        weights[:, self.macro] = np.einsum("ne,ng,na->nega", ethnicity, gender, stages).reshape(count, -1)
        self.change(rng, weights)
        return weights, np.stack([years, male], 1), ethnicity

    def years(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Mostly grown up; a few children, hardly any toddlers."""
        part = rng.random(count)
        spans = ((0.04, 2, 8), (0.22, 8, 25), (0.75, 25, 55), (1.0, 55, 88))
        years, before = np.zeros(count), 0.0
        for until, low, high in spans:
            here = (part >= before) & (part < until)
            years[here] = rng.uniform(low, high, here.sum())
            before = until
        return years

    def change(self, rng: np.random.Generator, weights: np.ndarray) -> None:
        """The smaller targets: half of the opposites at work, both sides nearly alike; singles now and then."""
        count = len(weights)
        for key, sides in self.pairs.items():
            strength = np.prod([factor for part, factor in STRENGTH.items() if part in key])
            value = rng.standard_normal(count) * (rng.random(count) < 0.5)
            for less, more in sides:
                own = (strength * (0.3 * value + 0.03 * rng.standard_normal(count))).clip(-0.8, 0.8)
                weights[:, less] = (-own).clip(0)
                weights[:, more] = own.clip(0)
        for kinds in self.singles:
            which = rng.integers(0, len(kinds), count)
            value = rng.uniform(0, 0.7, count) * (rng.random(count) < 0.4)
            for number, columns in enumerate(kinds):
                weights[np.ix_(which == number, columns)] = value[which == number, None]

    def expressions(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """(n, U) in [0, 1]: a quarter neutral, else few units at a time; both sides alike more often than not."""
        weights = rng.random((count, len(self.units))) ** 0.8 * (rng.random((count, len(self.units))) < 0.13)
        for i, name in enumerate(self.units):
            other = name.replace("-right-", "-left-")
            if other != name and other in self.units:
                same = rng.random(count) < 0.65
                weights[same, i] = weights[same, self.units.index(other)]
        weights[rng.random(count) < 0.25] = 0
        return weights


def pairs(at: dict[str, int]) -> dict[str, list[tuple[int, int]]]:
    """Opposite targets' columns, less and more; a list holds those of both sides. "@" stands for the side."""
    found: dict[str, list[tuple[int, int]]] = {}
    for name, column in at.items():
        stem, _, ending = name.rpartition("-")
        other = f"{stem}-{OPPOSITES.get(ending)}"
        if other in at:
            found.setdefault(sideless(stem), []).append((column, at[other]))
    return found


def choices(names: list[str], at: dict[str, int]) -> list[list[list[int]]]:
    """Targets without opposites, in groups of which one is at work: each a list of the columns of both sides."""
    groups: dict[str, dict[str, list[int]]] = {}
    for name in names:
        groups.setdefault(sideless(name).rpartition("-")[0], {}).setdefault(sideless(name), []).append(at[name])
    return [list(kinds.values()) for kinds in groups.values()]


def flat(found: dict[str, list[tuple[int, int]]]) -> set[int]:
    return {column for both in found.values() for pair in both for column in pair}


def sideless(name: str) -> str:
    return name.replace("/l-", "/@-").replace("/r-", "/@-")
