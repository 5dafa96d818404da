"""Chapter 14: noise, devices, and networks for small machines."""
