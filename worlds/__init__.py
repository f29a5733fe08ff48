"""Simulated providers with planted rings and look-alike innocents."""
