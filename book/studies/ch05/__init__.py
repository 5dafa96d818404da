"""Chapter 5: what a block can hold."""
