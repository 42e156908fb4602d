"""Jobs, the runner that executes them, scores, tables."""
