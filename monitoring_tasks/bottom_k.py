"""Bottom-k samples: the rows with the k smallest hashes, of which those of a union are found exactly. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa


@dataclass(frozen=True)
class BottomK:
    """The rows with the smallest hashes [1]_.

    .. [1] Cohen, E., & Kaplan, H. (2007). Summarizing data using bottom-k sketches. PODC, 225-234.
    """

    rows: pa.Table
    """In the order of the hash: the first rows, or every k-th, are a sample too."""
    hashes: npt.NDArray[np.bytes_]
    """Shape (n_rows,), ascending."""
    limit: int
    """How many rows were asked for; with fewer these are all."""

    def __len__(self) -> int:
        """Return how many rows were drawn."""
        return len(self.hashes)

    @property
    def nbytes(self) -> int:
        """Return the size in memory."""
        return int(self.rows.nbytes + self.hashes.nbytes)

    def reaches(self, limit: int) -> bool:
        """Tell whether the first `limit` rows are here, or all if there are fewer."""
        return limit <= self.limit or len(self) < self.limit

    def first(self, limit: int) -> BottomK:
        """Return the first `limit` rows, without holding on to the rest."""
        if limit >= self.limit:
            return self
        if len(self) < limit:
            return BottomK(self.rows, self.hashes, limit)
        places = pa.array(np.arange(limit))
        return BottomK(self.rows.take(places), self.hashes[:limit].copy(), limit)

    def without(self, other: BottomK) -> pa.Table:
        """Return the rows whose hash is not among those of the other.

        Of a reference and one of its parts, both with the same limit, that is all of the part: what of it is among the
        reference's smallest hashes is among its own.
        """
        return self.rows.filter(pa.array(~np.isin(self.hashes, other.hashes)))


def too_short(samples: Sequence[BottomK], limit: int) -> list[int]:
    """Return which samples must be drawn with `limit` rows, so that `merged` is exact.

    They are those that ended before the union's first `limit` rows do.
    """
    hashes = np.sort(np.concatenate([sample.hashes for sample in samples] or [np.empty(0, "S32")]))
    found = []
    for place, sample in enumerate(samples):
        ended = not sample.reaches(limit)
        if ended and (len(hashes) < limit or sample.hashes[-1] <= hashes[limit - 1]):
            found.append(place)
    return found


def merged(samples: Sequence[BottomK], limit: int) -> BottomK:
    """Return the first `limit` rows of the union of samples of disjoint rows; at least one sample.

    Rows of one hash stand in the order of the samples.

    Examples
    --------
    >>> odd = BottomK(pa.table({"x": [1, 3]}), np.array([b"a", b"d"]), 5)
    >>> even = BottomK(pa.table({"x": [2, 4]}), np.array([b"b", b"c"]), 2)
    >>> too_short([odd, even], 3), too_short([odd, even], 2)
    ([1], [])
    >>> merged([odd, even], 2).rows["x"].to_pylist()
    [1, 2]
    """
    hashes = np.concatenate([sample.hashes for sample in samples])
    order = np.argsort(hashes, kind="stable")[:limit]
    rows = pa.concat_tables([sample.rows for sample in samples]).combine_chunks()
    return BottomK(rows.take(pa.array(order)), hashes[order], limit)
