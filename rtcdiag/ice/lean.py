"""Import aioice without dnspython, which only names of mDNS need: it takes twice as long as all the rest of aioice.

What ``aioice.mdns`` imports of ``dns``, and looks into only when a name is asked for, stands in as modules that load
the real ones when somebody looks into them.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

_LATER = ("message", "name", "rdata", "rdataset", "zone")


class _StandIn(ModuleType):
    """One of them."""

    def __getattr__(self, name: str) -> Any:
        """Load the real modules, whatever was looked for first (asked only for what is not there)."""
        if name.startswith("__"):
            raise AttributeError(name)
        _load()
        return getattr(sys.modules[self.__name__], name)


def _load() -> None:
    import dns  # noqa: PLC0415 - that it is late is the point

    standing_in = {known: module for known, module in sys.modules.items() if isinstance(module, _StandIn)}
    for known in standing_in:
        del sys.modules[known]
    for known, module in standing_in.items():
        real = import_module(known)
        setattr(dns, known.rpartition(".")[2], real)
        # Who holds the stand-in finds everything in it from now on.
        module.__dict__.update({name: value for name, value in vars(real).items() if not name.startswith("__")})


def _stand_in() -> None:
    import dns  # noqa: PLC0415 - nothing else of this module is needed by who imports it

    for name in _LATER:
        if f"dns.{name}" not in sys.modules:
            module = sys.modules[f"dns.{name}"] = _StandIn(f"dns.{name}")
            setattr(dns, name, module)


_stand_in()
