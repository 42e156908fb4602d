"""From a corpus and features to one fitted model."""
