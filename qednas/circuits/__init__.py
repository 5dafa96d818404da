"""State vectors and their kernels, which generated weights and quantum optimisers share."""
