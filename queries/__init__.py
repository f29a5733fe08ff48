"""Named Cypher queries for investigators, and a guard for free ones."""
