"""Measured speeds of the expensive steps; `make bench` runs them all."""
