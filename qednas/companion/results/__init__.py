"""The store: results with their provenance, what makes them stale, and their checksums."""
