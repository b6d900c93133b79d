"""How far the labels had come when a run read them: by that two runs side by side see which of them read more. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


class Place(NamedTuple):
    """How far the labels of a warehouse have come; of two, the later one is the larger."""

    latest: datetime
    """When the latest of all arrived."""
    labels: int
    """How many there are: they are not always loaded in the order in which they arrived."""


@dataclass(frozen=True)
class LabelsRead:
    """How far the labels had come when a run began to read them."""

    place: Place | None = None
    """None where there are none, or they cannot be read."""
    known: Place | None = None
    """The furthest that any run had stored by then. Labels may be deleted as well, so that it is not always less."""

    def is_behind(self, stored: Place | None) -> bool:
        """Tell whether another run has stored this meanwhile, and it had read more.

        Examples
        --------
        >>> monday, tuesday = (Place(datetime(2013, 4, day), 100 * day) for day in (1, 2))
        >>> LabelsRead(monday).is_behind(tuesday), LabelsRead(tuesday).is_behind(monday)
        (True, False)
        >>> LabelsRead(monday, known=tuesday).is_behind(tuesday)  # since when some labels were deleted
        False
        """
        if stored is None or self.place is None or stored <= self.place:
            return False
        return self.known is None or stored > self.known
