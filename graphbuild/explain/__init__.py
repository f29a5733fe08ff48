"""Why two accounts are linked, and what holds a ring together: the weights of a run, taken apart again."""
