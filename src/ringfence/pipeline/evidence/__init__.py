"""What a decision stands on: put together, signed, and decided again from that alone."""
