"""Sealed exhibits: sample prompts of a ring, which nobody can read alone, and not for ever."""
