"""Logs → canonical tables, and refused rows with reasons."""
