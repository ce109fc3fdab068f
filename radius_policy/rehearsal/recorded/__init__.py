"""Recorded process starts of other systems, and how a store takes them in. Reading only, but for `loading`."""
