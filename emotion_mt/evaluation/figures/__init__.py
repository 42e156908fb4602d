"""Figures of the evaluation, legible in print and for the colour-blind."""
