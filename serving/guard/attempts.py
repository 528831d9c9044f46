"""Wrong logins are slowed, so that a password can't be guessed by trying; somebody else's right login is not.

Each attempt takes a place in the line of its address and in the line of the name it tries. The first few places are
free; then each place takes twice as long as the one before, up to a limit. An attempt waits for its turn, also beside
others at the same time; where that would be long, it is refused unread.
"""

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

_FREE = 3
"""Attempts without any delay."""
_FIRST = 0.5
_ADDRESS, _NAME = 60.0, 2.0
"""Longest delay between two attempts, s: from one address; with one name from wherever. Many addresses together can
keep a name's line busy, therefore it is short, and does not count where somebody has logged in before."""
LONGEST_WAIT = 8.0
"""An attempt that would wait longer than this, s, is refused."""
_FORGET = 1800.0
_MOST = 10_000
"""Addresses and names that are remembered, of each so many; some 3 MB in all."""


@dataclass
class _Line:
    attempts: int = 0
    free_at: float = 0.0

    def take(self, now: float, longest: float) -> None:
        """One more attempt at ``now``: the next one after it has to wait."""
        self.attempts += 1
        extra = self.attempts - _FREE
        delay = 0.0 if extra < 0 else min(longest, _FIRST * 2.0 ** min(extra, 30))
        self.free_at = max(self.free_at, now) + delay


class Attempts:
    """Who has tried to log in lately; safe to use from several threads.

    Args:
        clock: seconds.
        most: addresses, names, and addresses that have logged in, that are remembered.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, most: int = _MOST) -> None:
        self._clock, self._most = clock, most
        self._addresses: OrderedDict[str, _Line] = OrderedDict()
        self._names: OrderedDict[str, _Line] = OrderedDict()
        self._known: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, address: str, name: str) -> float:
        """Seconds that an attempt has to wait before it is looked at; it has then taken its places.

        More than :data:`LONGEST_WAIT`: it shall be refused, and has taken none.

        Args:
            address: that it comes from.
            name: of the user that it tries.
        """
        address, name = _network(address), name[:100]
        with self._lock:
            now = self._clock()
            lines = [(self._line(self._addresses, address, now), _ADDRESS)]
            if address not in self._known:
                lines.append((self._line(self._names, name, now), _NAME))
            begin = max(now, *(line.free_at for line, _ in lines))
            if begin - now <= LONGEST_WAIT:
                for line, longest in lines:
                    line.take(begin, longest)
            return begin - now

    def passed(self, address: str) -> None:
        """A login from the address was right: its next one waits for nobody."""
        address = _network(address)
        with self._lock:
            self._addresses.pop(address, None)
            self._known[address] = None
            self._known.move_to_end(address)
            while len(self._known) > self._most:
                self._known.popitem(last=False)

    def __len__(self) -> int:
        return len(self._addresses) + len(self._names) + len(self._known)

    def _line(self, lines: OrderedDict[str, _Line], key: str, now: float) -> _Line:
        line = lines.get(key)
        if line is None or now - line.free_at > _FORGET:
            line = lines[key] = _Line(free_at=now)
        lines.move_to_end(key)
        while len(lines) > self._most:
            lines.popitem(last=False)
        return line


def _network(address: str) -> str:
    """What one person has: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:100]
    if found.version == 6:
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
