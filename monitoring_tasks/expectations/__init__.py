"""Suites of expectations: Great Expectations' own, and SageMaker's constraints read as such.

`outcome` is what validating one comes to, as plain values; the rest reads suites and rows, and is the only place that
imports Great Expectations, which takes seconds and hundreds of megabytes: only monitors that name a suite pay for it.
"""
