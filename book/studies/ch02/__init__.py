"""Chapter 2: the data set of small systems."""
