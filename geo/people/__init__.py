"""Who acts: accounts and how they sign in, organisations, grants, and the audit of what was done."""

import lazy_loader

# What others take from here is listed in `__init__.pyi`; a module is imported when something of it is asked for.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
