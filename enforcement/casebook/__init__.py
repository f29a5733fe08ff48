"""The casebook: every ring ever flagged, and everything people decided about it."""
