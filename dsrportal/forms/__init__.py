"""The query strings and forms that people send, parsed and checked before anything is read or done."""
