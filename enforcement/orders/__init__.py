"""Orders: an action on accounts of a ring, its approval, and the way back."""
