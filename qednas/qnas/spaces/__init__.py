"""Spaces of networks that were all trained, and what training and running one costs."""
