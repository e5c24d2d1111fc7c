"""One module a network: its recipe (the command line), its batches and its loss."""
