"""From Dastra to rows. The only writer of mirrored rows; called by jobs, actions and commands."""
