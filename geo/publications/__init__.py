"""Publications: public figures made once for a round, whole, and read by everybody."""

import lazy_loader

# What others take from here is listed in `__init__.pyi`; a module is imported when something of it is asked for.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
