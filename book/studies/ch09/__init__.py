"""Chapter 9: generated weights on images."""
