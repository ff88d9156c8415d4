"""What a person may do: kept in the outbox, written to Dastra, read back, mirrored, recorded."""
