"""Where the code that is stored with versions of before looks for it; see :mod:`faceswap.registered_model`."""

from faceswap.registry.cards.origin import provenance

__all__ = ["provenance"]
