"""Chapter 4: predictions of large systems beside DMRG."""
