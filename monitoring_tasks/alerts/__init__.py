"""Alerts: what a rule of the monitor file says about results, over windows in their order. Pure: no clock, no database.

alert      an alert, its events, and the results that it stands on
message    what people are told, as blocks; plain_text, markdown and html render it
verdicts   what people said of earlier alerts
"""
