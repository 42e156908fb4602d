"""Saved bundles and predictions for new clips."""
