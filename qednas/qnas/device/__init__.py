"""Circuits as gates on a device: routing, noise and its mitigation."""
