"""`carb` as far as it is used."""
