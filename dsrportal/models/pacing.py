"""The rate limit, kept in the database: what `mirror.pacing_rows` needs where several machines share a PostgreSQL. No personal data."""

from __future__ import annotations

from django.db import models


class PacedKey(models.Model):
    """One credential of Dastra by a name that does not tell it. Its row is the lock under which calls are granted.

    Instants are seconds of the database's clock. `offsets` has, for each run of a machine, how far the two clocks are apart.
    """

    key_id = models.CharField(max_length=64, primary_key=True)
    paused_until = models.FloatField(default=0.0)
    person_at = models.FloatField(default=0.0)
    circuit = models.TextField(blank=True)
    offsets = models.JSONField(default=dict)


class PacedCall(models.Model):
    """One call that was granted lately."""

    key = models.ForeignKey(PacedKey, on_delete=models.CASCADE, db_index=False)
    at = models.FloatField()

    class Meta:
        indexes = [models.Index(fields=["key", "at"], name="paced_calls_in_time")]
