"""Canonical tables → templates, sightings, links, communities, graph snapshot."""
