"""Chapter 10: generated weights on time series and in control."""
