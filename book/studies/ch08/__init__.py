"""Chapter 8: which block for which target, as a rule."""
