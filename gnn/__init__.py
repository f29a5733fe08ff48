"""Graph snapshot → account scores and ring decisions."""
