"""Evoked emotions of individual film viewers (see README.md)."""
