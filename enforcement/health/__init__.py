"""How enforcement stands, and what is wrong with it."""
