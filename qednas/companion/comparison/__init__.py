"""Two runs beside each other, value by value: verify and audit."""
