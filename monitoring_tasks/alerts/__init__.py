"""Alerts: what a rule of the monitor file says about results, over windows in their order. Pure: no clock, no database.

alert           an alert, its events, and the results that it stands on
sighting        what a rule sees of one window
firing          which series match in k of the last n windows
grouping        which alert a series belongs to
lifecycle       the state machine
decision        what people decide
reconciliation  stored alerts, and what a replay makes of them
wording         an alert in one sentence
message         what people are told, as blocks; plain_text, markdown and html render it
verdicts        what people said of earlier alerts
"""
