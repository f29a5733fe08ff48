"""The whole way again on worlds: how late, how fair, how hard to evade, and what may not be lost."""
