"""What generated weights are trained for."""
