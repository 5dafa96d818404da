"""The supernet and the search for an architecture in it."""
