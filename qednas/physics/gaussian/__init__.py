"""Free fermions: chains that they solve exactly, and the best Gaussian state of any other."""
