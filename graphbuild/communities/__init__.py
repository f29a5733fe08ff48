"""Links → components and communities, and what can be said about them."""
