"""Chapter 6: the search in the supernet, and what its parts are worth."""
