"""Searchers: what proposes the next architectures."""
