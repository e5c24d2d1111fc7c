"""The networks, their catalogue and their weights; importing this loads no torch."""
