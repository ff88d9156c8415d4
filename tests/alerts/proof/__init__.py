"""The proofs of the alerts: what is counted at length by `scripts/torture_alerts.py` and in short forms by the tests beside this package."""
