"""Videos to vectors: decoding, windows, the I3D, the feature store.

TensorFlow is imported with the first name that needs it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
