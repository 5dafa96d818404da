"""Circuits on devices with errors: gates that a coupling map allows, noise, mitigation."""
