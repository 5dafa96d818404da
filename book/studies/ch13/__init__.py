"""Chapter 13: searches with quantum optimisers beside classical ones."""
