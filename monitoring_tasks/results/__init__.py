"""The results store: tables, views, and one frame to look at them.

``monitoring_tasks.results`` is this package and, as the contract promises, a function too: calling it reads the table
`result`. A package of the same name cannot be told apart from a function in any other way.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


class _Results(ModuleType):
    def __call__(self, *arguments: Any, **keywords: Any) -> pd.DataFrame:
        """See `monitoring_tasks.results.frame.results`."""
        from monitoring_tasks.results.frame import results

        return results(*arguments, **keywords)


sys.modules[__name__].__class__ = _Results
