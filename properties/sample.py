"""Scene.maquette.sample holds the settings of the next sample; Object.maquette_sample says where in latent space a
sampled object lies. Its sliders are custom properties of the object: operators/sampled.py says why."""

import bpy
from bpy.props import BoolProperty, CollectionProperty, EnumProperty, FloatProperty, IntProperty, StringProperty

from ..jobs.requests import Point
from ..operators import sampled

MOST_SEED = 2**31 - 1
TRUNCATION = dict(
    name="Truncation",
    description="How unusual shapes may be: 0 is the family's mean, 1 as varied as what the network learned from",
    default=Point.truncation,
    min=0.0,
    max=1.5,
    soft_max=1.0,
    step=1,
    precision=2,
)
AMOUNT = dict(
    name="Amount",
    description="How far a variation goes: 0 stays, 1 as far as two random shapes differ",
    min=0.0,
    max=3.0,
    soft_max=1.0,
    step=1,
    precision=2,
)
_items = {}
"""Blender keeps no reference to the texts of a list that is made as it is drawn, so they are kept here."""


def _models(self, context):
    rows = [(name, row["label"], "", number) for number, (name, row) in enumerate(sampled.samplers().items())]
    return _items.setdefault("models", rows or [("none", "None", "", 0)])


def _families(self, context):
    names = sampled.families(self.model)
    rows = [(name, name.capitalize(), "", number) for number, name in enumerate(names)]
    return _items.setdefault(f"families of {self.model}", rows or [("none", "None", "", 0)])


class MaquetteSampling(bpy.types.PropertyGroup):
    """Scene.maquette.sample: the settings of the next sample."""

    model: EnumProperty(name="Network", description="Which network's shapes", items=_models)
    family: EnumProperty(name="Family", description="What kind of object", items=_families)
    seed: IntProperty(name="Seed", description="Which shape is drawn", min=0, max=MOST_SEED, soft_max=9999)
    truncation: FloatProperty(**TRUNCATION)
    amount: FloatProperty(**AMOUNT | {"default": 0.3})
    count: IntProperty(name="Count", description="How many samples", default=9, min=1, max=400, soft_max=64)
    steps: IntProperty(name="Steps", description="How many samples from A to B", default=5, min=2, max=400, soft_max=20)
    other_seed: IntProperty(
        name="Seed of B",
        description="Where the way leads, unless a second sample is selected",
        default=1,
        min=0,
        max=MOST_SEED,
        soft_max=9999,
    )


class MaquetteSlider(bpy.types.PropertyGroup):
    """What is known of a slider; its value is the object's custom property of this name."""

    unit: StringProperty()
    minimum: FloatProperty()
    maximum: FloatProperty()
    named: BoolProperty()
    part: StringProperty()
    """What it belongs with, such as the expression of a face; "" where all belong together."""
    value: FloatProperty()
    """What the shape says by itself, or was told, in the model's own unit."""
    moved: BoolProperty()
    """It was told."""


class MaquetteSample(bpy.types.PropertyGroup):
    """Object.maquette_sample: where in latent space a sampled object lies; all that is a number can be keyframed."""

    model: StringProperty(name="Network")
    """"" for objects that were not sampled."""
    family: StringProperty(name="Family")
    seed: IntProperty(name="Seed", description="Which shape is drawn", min=0, max=MOST_SEED, soft_max=9999)
    truncation: FloatProperty(**TRUNCATION)
    variation: IntProperty(name="Variation", description="Which shape nearby", min=0, max=MOST_SEED, soft_max=9999)
    amount: FloatProperty(**AMOUNT)
    latent: StringProperty(name="Latent")
    """JSON, in place of the seed where the shape was found from a mesh or a photo."""
    other: StringProperty(name="B")
    """JSON of the Point at the other end of an interpolation; "" where there is none."""
    factor: FloatProperty(
        name="A to B", description="How far on the way: 0 is A, 1 is B", min=0.0, max=1.0, step=1, precision=3
    )
    sliders: CollectionProperty(type=MaquetteSlider)


CLASSES = (MaquetteSampling, MaquetteSlider, MaquetteSample)


def register():
    for kind in CLASSES:
        bpy.utils.register_class(kind)
    bpy.types.Object.maquette_sample = bpy.props.PointerProperty(type=MaquetteSample)


def unregister():
    del bpy.types.Object.maquette_sample
    for kind in reversed(CLASSES):
        bpy.utils.unregister_class(kind)
    _items.clear()
