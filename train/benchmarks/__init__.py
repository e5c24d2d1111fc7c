"""Times and memory: python -m maquette.train benchmark."""
