"""Graph stores: one protocol, an in-memory reference, and Neo4j."""
