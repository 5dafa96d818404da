"""Chapter 17: claim by claim."""
