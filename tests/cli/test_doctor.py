"""`maquette doctor` and `maquette models`: what runs here, and what is said where nothing does."""

import json

from maquette.jobs import environment

from .command import one_line


def test_doctor_speaks_to_people_and_to_programs(maquette):
    code, out, _ = maquette("doctor", "--device", "cpu")
    assert "torch" in out and "cpu" in out and "ok" in out
    _, out, _ = maquette("doctor", "--device", "cpu", "--json")
    told = json.loads(out)
    assert told["devices"][0]["ok"] and told["device"] == "cpu"
    assert code == (0 if told["ok"] else 1)


def test_models_are_listed(maquette):
    code, out, _ = maquette("models", "--json")
    rows = json.loads(out)
    assert code == 0 and rows
    for row in rows:
        assert {"name", "kind", "label", "sha256", "bytes", "licence", "metrics"} <= set(row)
    assert rows[0]["name"] in maquette("models")[1]


def test_without_torch_the_line_says_where_to_click(maquette, field, tmp_path, monkeypatch):
    def none(*_, **__):
        raise environment.NoEnvironment(f"Maquette found no Python with torch: {environment.WHERE_TO_SET_IT}")

    monkeypatch.setattr(environment, "find_python", none)
    for command in (["remesh", field, "-o", tmp_path / "a.ply"], ["doctor"]):
        code, out, err = maquette(*command)
        assert code == 1 and "open Edit > Preferences > Add-ons > Maquette" in one_line(err) and not out
    code, out, _ = maquette("doctor", "--json")
    assert code == 1 and json.loads(out)["ok"] is False


def test_the_log_is_shown_when_asked_for(maquette, tmp_path):
    (tmp_path / "text.npz").write_text("hello")
    code, _, err = maquette("remesh", "-v", tmp_path / "text.npz", "-o", tmp_path / "a.ply")
    assert code == 1 and "Traceback" in err and err.startswith("maquette: ")
