"""Families of heads for head_vae: linear models out of other people's data, what is drawn from them and measured."""
