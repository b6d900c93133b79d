"""Actions: what is done about an alert, and why or why not. Pure: no clock, no database, no network."""
