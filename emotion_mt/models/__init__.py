"""Layers, losses, metrics and models. Knows nothing of files."""
