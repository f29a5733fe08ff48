"""The loops that touch every link of every account, compiled by Numba. Other threads run meanwhile."""
