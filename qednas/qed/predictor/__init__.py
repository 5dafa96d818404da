"""The predictor of entanglement: mean field, its correction, and the data set that trains it."""
