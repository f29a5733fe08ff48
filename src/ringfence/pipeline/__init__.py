"""Joins the stages: nothing else may."""
