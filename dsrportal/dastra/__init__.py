"""The upstream as it is: Dastra's REST API, typed. Used by the mirror and the actions; knows no Django and no database.

Errors: `errors.py`. Payloads: `schema.py`. The rate limit: `pacing.py`. One HTTP call: `transport.py`. Endpoints: `client.py`.
"""
