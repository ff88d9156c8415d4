"""Reading: board, register, one request, jobs, freshness. Never writes, never calls Dastra."""
