"""A window of the logs scored once, however often it is asked for."""
