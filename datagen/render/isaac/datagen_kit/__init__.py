"""What runs inside Isaac Sim's interpreter: standard library, numpy and Isaac's own modules only."""
