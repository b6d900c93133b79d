"""Pure statistics: functions over arrays of counts, no clock, no database, no network.

``histogram`` checks and merges counts, ``drift`` compares two of them, ``multiple_testing`` decides over many p-values.
Importing any of it costs numpy alone; scipy is loaded by the first p-value.
"""
