"""The checks, grouped by what they look at; importing this imports every file here, which enters them in the table."""

from importlib import import_module
from pkgutil import iter_modules

for _file in iter_modules(__path__):
    import_module(f"{__name__}.{_file.name}")
