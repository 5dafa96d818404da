"""Chapter 3: the predictor on systems that it has not seen."""
