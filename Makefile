# What newcomers and contributors type. `make` alone lists it.
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint zip doctor preview shards train evaluate benchmark clean

BIN := .venv/bin
PICTURE ?= $(firstword $(wildcard examples/*.png examples/*.jpg examples/*.webp))
MINUTES ?= 30
SHARDS ?= 200

help: ## this list
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Stamps, so that nothing is installed twice. `demo` needs the first alone.
.venv/.run: pyproject.toml .ci/setup .ci/constraints.txt
	@.ci/setup run
	@touch $@

.venv/.develop: .venv/.run
	@.ci/setup develop
	@touch $@

setup: .venv/.develop ## make .venv, with the command at .venv/bin/maquette and all that the tests need
	@echo "Ready: $(BIN)/maquette doctor"

demo: .venv/.run ## from a picture to a coloured mesh (PICTURE=... for one of yours)
	@test -n "$(PICTURE)" || { echo "There is no picture in examples/; name one: make demo PICTURE=photo.jpg"; exit 1; }
	@mkdir -p out
	$(BIN)/maquette reconstruct "$(PICTURE)" -o out/demo.glb --texture 2048 --preview out/demo.png --report out/demo.json
	@printf '\nLook at it:\n  the picture     %s\n  what came out   out/demo.png\n  the mesh        out/demo.glb   (Blender: File > Import > glTF; or any glTF viewer)\n  the figures     out/demo.json\n' "$(PICTURE)"

test: .venv/.develop ## all tests but the real window and the other Blenders, which .ci/run adds
	@$(BIN)/python .ci/check_bpy.py
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile $(PYTEST)

lint: .venv/.develop ## ruff, with the import floors
	$(BIN)/ruff check .

zip: .venv/.develop ## build and validate the extension with Blender's own tool, into dist/
	@$(BIN)/python .ci/check_bpy.py
	@$(BIN)/python .ci/zip.py dist

doctor: .venv/.run ## what runs here
	$(BIN)/maquette doctor

preview: .venv/.develop ## a contact sheet of the procedural shapes
	$(BIN)/python -m maquette.train preview

# 12 800 samples to train on, 9600 in the prior, 256 to validate with: run it again with SHARDS=2000 for more.
shards: .venv/.develop ## make the procedural samples that training on CPUs reads, into runs/shards
	$(BIN)/python -m maquette.train shards --split library --count 150
	$(BIN)/python -m maquette.train shards --split validation --count 4
	$(BIN)/python -m maquette.train shards --split train --count $(SHARDS)

train: shards ## train image_to_field for MINUTES (30), going on where it stopped
	$(BIN)/python -m maquette.train image_to_field --minutes $(MINUTES)

evaluate: .venv/.develop ## scores on held-out shapes beside the baselines; OBJECTS=folder for others
	$(BIN)/python -m maquette.train evaluate image_to_field $(if $(OBJECTS),--objects "$(OBJECTS)")

benchmark: .venv/.develop ## times and memory of Reconstruct and Remesh here
	$(BIN)/python -m maquette.train benchmark

clean: ## remove what builds and caches left, not .venv
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache */.ruff_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
