"""Appeals: taken in once each, and the rings that they are about scored again."""
