"""FLOOR 2 · Who is to know of which legal date, and telling them: thresholds, the ledger, the bell, mail. Called by the jobs and by `send_alerts`.

Knows no person's data but the names of accounts: a reference, a clock and a link are all that leaves the portal.
"""
