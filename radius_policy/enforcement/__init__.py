"""A move, from the order to its proof: the table of states, the core that walks it, and the book of what the network said.

Pure but for `moves.py`, which writes in the store's transactions. Sockets are in `radius/` and `coa/`; nothing here sends.
"""
