"""What every room of the package stands on: no science, no companion."""
