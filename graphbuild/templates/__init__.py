"""Prompt text → template ids."""
