"""What was measured, as files: reports, and the means that `export --metrics` puts on a card."""

import json
from pathlib import Path


def write(path, content: dict, indent: int = 1) -> None:
    """JSON, whole or not at all; numbers of any kind."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".tmp")
    partial.write_text(json.dumps(content, indent=indent, default=float) + "\n", "utf-8")
    partial.replace(path)


def add_to_card(path, metrics: dict) -> None:
    """Beside what other measures have put there."""
    path = Path(path)
    write(path, (json.loads(path.read_text("utf-8")) if path.exists() else {}) | metrics)
