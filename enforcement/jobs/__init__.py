"""Scoring jobs, and who has them in hand."""
