"""Chapter 7: the network that the search discovers beside its baselines."""
