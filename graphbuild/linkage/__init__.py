"""Evidence that links accounts: weights in nats that add up over signals and families."""
