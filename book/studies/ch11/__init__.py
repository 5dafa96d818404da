"""Chapter 11: ablations of generated weights, shots and noise."""
