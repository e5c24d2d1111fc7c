"""Every panel, drawn into a layout that writes down what it is told and checks that operators and properties exist."""

import pytest


class Paper:
    """A layout that keeps what is drawn; unknown operators, properties or icons raise, as in Blender."""

    def __init__(self, bpy, drawn=None):
        self.bpy, self.drawn = bpy, [] if drawn is None else drawn
        known = bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"].enum_items
        self.icons = {item.identifier for item in known}

    def _part(self, *args, **kwargs):
        return Paper(self.bpy, self.drawn)

    row = column = box = _part

    def _icon(self, icon):
        assert icon in self.icons, icon

    def label(self, text="", icon="NONE"):
        self._icon(icon)
        self.drawn.append(text)

    def prop(self, data, name, icon="NONE", **how):
        self._icon(icon)
        if name.startswith("["):  # a custom property
            self.drawn.append((name[2:-2], data[name[2:-2]]))
            return
        assert name in data.bl_rna.properties, name
        self.drawn.append((name, getattr(data, name)))

    def operator(self, name, text="", icon="NONE"):
        self._icon(icon)
        family, _, verb = name.partition(".")
        assert verb in dir(getattr(self.bpy.ops, family)), name
        self.drawn.append(name)
        return Told(getattr(getattr(self.bpy.ops, family), verb).get_rna_type().properties)

    def prop_decorator(self, data, name):
        assert data.path_resolve(name) is not None

    def progress(self, factor, text):
        assert 0 <= factor <= 1
        self.drawn.append(("progress", text))

    def template_icon(self, icon_value, scale):
        self.drawn.append("thumbnail")


class Told:
    """What a button tells its operator; a property that the operator does not have raises."""

    def __init__(self, known):
        object.__setattr__(self, "known", known)

    def __setattr__(self, name, value):
        assert name in self.known, name


@pytest.fixture
def draw(bpy, scene):
    """What a panel, or the preferences, draw now."""

    def drawn(name: str) -> list:
        kind = bpy.types.Panel.bl_rna_get_subclass_py(name)
        paper = Paper(bpy)
        if hasattr(kind, "poll") and not kind.poll(bpy.context):
            return paper.drawn
        kind.draw(type("Drawn", (), {"layout": paper})(), bpy.context)
        return paper.drawn

    return drawn


def texts(drawn) -> str:
    return " ".join(item for item in drawn if isinstance(item, str))


def test_every_panel_draws_in_every_state(bpy, scene, draw, pictures, until):
    from maquette.jobs.requests import Reconstruct
    from maquette.operators import masks, tasks

    panels = [name for name in dir(bpy.types) if name.startswith("MAQUETTE_PT_")]
    assert len(panels) == 11
    sheets = []
    scene.maquette.filepath = pictures("ball.png")
    image = bpy.data.images.new("Maquette Mask", 8, 8)
    masks.belong(image, scene.maquette.filepath, "plain")
    for state in ("empty", "result", "busy"):
        if state == "result":
            masks.keep(image)
        if state == "result":
            bpy.ops.maquette.reconstruct(filepath=pictures("ball.png"))
        if state == "busy":
            tasks.start("Reconstruct", [Reconstruct(images=(pictures("slow ball.png"),))])
        sheets.append({name: draw(name) for name in panels})
    tasks.drop()
    empty, result, busy = sheets
    assert "Select an object" in texts(empty["MAQUETTE_PT_mesh"])
    assert ("style", "smooth") in result["MAQUETTE_PT_mesh"] and "closed" in texts(result["MAQUETTE_PT_mesh"])
    assert "maquette.reconstruct" in result["MAQUETTE_PT_reconstruct"]
    assert "maquette.regenerate" not in empty["MAQUETTE_PT_view"]
    assert "maquette.regenerate" in result["MAQUETTE_PT_view"] and "depth 0.95" in texts(result["MAQUETTE_PT_view"])
    assert "maquette.edit_mask" in empty["MAQUETTE_PT_reconstruct"]
    said = [texts(sheet["MAQUETTE_PT_reconstruct"]) for sheet in (empty, result)]
    assert "Mask: plain background" in said[0] and "Mask: painted" in said[1]
    assert "maquette.cancel" in busy["MAQUETTE_PT_reconstruct"]
    assert "maquette.capture" in empty["MAQUETTE_PT_capture"] and "maquette.cancel" in busy["MAQUETTE_PT_capture"]
    assert empty["MAQUETTE_PT_capture"].count("maquette.capture") == 1  # nothing was stopped that could be resumed
    assert "maquette.reconstruct" not in busy["MAQUETTE_PT_reconstruct"]


def test_without_torch_it_says_where_to_click(bpy, scene, draw):
    from maquette.operators.compute import Found

    Found.ok, Found.note = False, "Maquette found no Python with torch: open Edit > Preferences > Add-ons"
    drawn = draw("MAQUETTE_PT_reconstruct")
    assert "no Python with torch" in texts(drawn) and "maquette.show_preferences" in drawn
    Found.ok, Found.note = True, "torch 2"
    assert "maquette.show_preferences" not in draw("MAQUETTE_PT_reconstruct")


def test_an_error_is_shown_with_the_workers_last_words(bpy, scene, draw, pictures):
    with pytest.raises(RuntimeError):
        bpy.ops.maquette.reconstruct(filepath=pictures("dies.png"))
    drawn = draw("MAQUETTE_PT_reconstruct")
    assert "my last words" in texts(drawn) and "maquette.copy_report" in drawn


def test_a_broken_record_does_not_break_the_panel(bpy, scene, draw, pictures):
    bpy.ops.maquette.reconstruct(filepath=pictures("ball.png"))
    bpy.context.object["maquette"] = "{"
    assert "cannot be read" in texts(draw("MAQUETTE_PT_mesh"))


def test_several_pictures_are_listed(bpy, scene, draw, pictures):
    scene.maquette.choose([pictures(f"{number}.png") for number in range(8)])
    drawn = draw("MAQUETTE_PT_reconstruct")
    assert "0.png" in drawn and "and 3 more" in drawn
    scene.maquette.together = "views"
    drawn = draw("MAQUETTE_PT_reconstruct")
    assert "7.png" in drawn, "by hand each has its side"
    scene.maquette.sides = "right"
    assert "and 3 more" in draw("MAQUETTE_PT_reconstruct")
    scene.maquette.filepath = pictures("one.png")
    assert not scene.maquette.pictures and "0.png" not in draw("MAQUETTE_PT_reconstruct")


def test_the_preferences_draw(bpy, scene):
    from maquette.preferences import Defaults, MaquettePreferences

    class Form:
        """Stands for the preferences of an installed extension, which smoke.py has for real."""

        layout = Paper(bpy)
        draw = MaquettePreferences.draw
        bl_rna = bpy.types.AddonPreferences.bl_rna_get_subclass_py("MaquettePreferences").bl_rna
        python, device, idle_minutes = Defaults.python, Defaults.device, Defaults.idle_minutes

    form = Form()
    form.draw(bpy.context)
    assert ("device", "auto") in form.layout.drawn and "maquette.doctor" in form.layout.drawn
    for name in MaquettePreferences.__annotations__:
        assert form.bl_rna.properties[name].default == getattr(Defaults, name), name


def test_sliders_are_drawn_by_what_has_a_name(bpy, scene, draw, monkeypatch):
    from maquette.operators import sampled

    assert "Select an object made by Sample" in texts(draw("MAQUETTE_PT_sample_sliders"))
    bpy.ops.maquette.sample(seed=2)
    thing = bpy.context.object
    drawn = [item[0] for item in draw("MAQUETTE_PT_sample_sliders") if isinstance(item, tuple)]
    named = [item.name for item in thing.maquette_sample.sliders if item.named]
    assert drawn == named and "amount" not in drawn
    bpy.ops.maquette.sample_vary(amount=0.2)
    assert ("amount", pytest.approx(0.2)) in draw("MAQUETTE_PT_sample_sliders")
    rest = [item[0] for item in draw("MAQUETTE_PT_sample_variations") if isinstance(item, tuple)]
    assert named + rest == [item.name for item in thing.maquette_sample.sliders]
    assert "Select a second sample" in texts(draw("MAQUETTE_PT_sample_between"))
    bpy.ops.maquette.sample_between(seed=5)
    assert ("factor", pytest.approx(0.5)) in draw("MAQUETTE_PT_sample_between")
    monkeypatch.setattr(sampled, "samplers", dict)
    assert "not part of this copy" in texts(draw("MAQUETTE_PT_sample"))
    assert "maquette.sample" not in draw("MAQUETTE_PT_sample")
