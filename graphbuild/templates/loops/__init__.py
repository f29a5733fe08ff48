"""The miner's inner loops, which touch every character, shingle or key, compiled by Numba.

They take and return arrays and small numbers; what calls them is typed and documented in the modules above.
Numba infers and checks their types itself when it compiles them.
"""
