"""The upstream as it is: Dastra's REST API, typed. Used by the mirror and the actions; knows no Django and no database.

What callers meet: `client` (endpoints), `schema` (payloads), `errors` (what can go wrong), `auth` (the ways in), `pacing` (the
shared rate limit). Behind the client: `filters` (query strings), `paging` (lists to their end), `reading`, `row`, `values` (JSON
to payloads). Behind those: `transport` (one call), with `addresses`, `connections`, `answers` and `wire_json`.
"""
