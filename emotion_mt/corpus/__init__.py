"""Files on disk to a `Corpus`. No TensorFlow in here."""
