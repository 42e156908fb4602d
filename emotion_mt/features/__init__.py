"""Videos to vectors: decoding, windows, the I3D, the feature store."""
