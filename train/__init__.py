"""The offline package that makes every bundled weight; never shipped in the extension."""
