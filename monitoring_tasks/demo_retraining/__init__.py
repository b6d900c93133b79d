"""What the DAG ``retrain_flight_delays`` does, step by step, without Airflow: a new model for the demo's flights.

`training_set` reads what was known by then, `comparison` holds the new model against the old one, `model_version` keeps
both on record, and `deployment` puts the new one into service.
"""
