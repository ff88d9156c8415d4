"""Seals again, under the first of CREDENTIAL_KEYS, what was sealed under another. Called by the command `rotate_keys`.

May be stopped at any moment and run again: what is sealed under the first key already is left alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction

from dsrportal import credentials
from dsrportal.models import (
    Channel,
    DataSubjectRequest,
    Draft,
    Enclosure,
    Extension,
    OutboxEntry,
    Pause,
    Refusal,
    WebhookReceiver,
    Workspace,
)
from dsrportal.models.requests import identity_context

BATCH = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Resealed:
    """What was done: counts of secrets and identities, and sentences about what could not be opened."""

    secrets: int
    identities: int
    problems: tuple[str, ...]


def reseal_everything(*, progress: Callable[[int], None] | None = None) -> Resealed:
    """Reseal the secrets, search keys and webhook keys of all workspaces, the texts of open wishes, drafts and ledgers, files, then all identities in batches.
    `progress` gets the count so far."""
    problems: list[str] = []
    secrets = sum(_reseal_workspace(pk, problems=problems) for pk in Workspace.objects.values_list("pk", flat=True))
    secrets += sum(
        _reseal_receiver(pk, problems=problems) for pk in WebhookReceiver.objects.values_list("pk", flat=True)
    )
    secrets += sum(_reseal_channel(pk, problems=problems) for pk in Channel.objects.values_list("pk", flat=True))
    secrets += sum(_reseal_wish(pk, problems=problems) for pk in _sealed_wishes())
    secrets += sum(_reseal_draft(pk, problems=problems) for pk in Draft.objects.values_list("pk", flat=True))
    secrets += sum(_reseal_file(pk, problems=problems) for pk in list(Enclosure.objects.values_list("pk", flat=True)))
    for model in (Pause, Extension, Refusal):
        with_text = list(model.objects.filter(text_sealed__isnull=False).values_list("pk", flat=True))
        secrets += sum(_reseal_entry(model, pk, problems=problems) for pk in with_text)
    identities, unopened, last = 0, 0, 0
    while True:
        with transaction.atomic():
            batch = list(
                DataSubjectRequest.objects.select_for_update(no_key=True)
                .filter(pk__gt=last, identity_sealed__isnull=False)
                .order_by("pk")
                .values_list("pk", "workspace_id", "upstream_id", "identity_sealed")[:BATCH]
            )
            for pk, workspace_id, upstream_id, sealed in batch:
                if sealed is None or credentials.is_sealed_with_first_key(sealed):
                    continue
                context = identity_context(workspace_id=workspace_id, upstream_id=upstream_id)
                try:
                    fresh = credentials.seal(credentials.unseal(sealed, context=context), context=context)
                except credentials.CannotDecryptError:
                    unopened += 1
                    continue
                identities += DataSubjectRequest.objects.filter(pk=pk).update(identity_sealed=fresh)
        if not batch:
            break
        last = batch[-1][0]
        if progress:
            progress(identities)
    if unopened:
        problems.append(f"{unopened} identities cannot be opened with any of the keys.")
    return Resealed(secrets=secrets, identities=identities, problems=tuple(problems))


def _reseal_workspace(pk: int, *, problems: list[str]) -> int:
    with transaction.atomic():
        workspace = Workspace.objects.select_for_update(no_key=True).get(pk=pk)
        sealed = (workspace.secret_sealed, workspace.search_key_sealed)
        if all(credentials.is_sealed_with_first_key(text) for text in sealed):
            return 0
        try:
            workspace.set_secret(workspace.read_secret())
            workspace.set_search_key(workspace.read_search_key())
        except credentials.CannotDecryptError:
            problems.append(f"The key of “{workspace.name}” cannot be opened with any of the keys.")
            return 0
        workspace.save(update_fields=["secret_sealed", "secret_last_four", "search_key_sealed"])
    return 1


def _reseal_receiver(pk: int, *, problems: list[str]) -> int:
    with transaction.atomic():
        receiver = WebhookReceiver.objects.select_for_update(no_key=True).get(pk=pk)
        sealed = receiver.signature_key_sealed
        if sealed is None or credentials.is_sealed_with_first_key(sealed):
            return 0
        try:
            receiver.set_signature_key(receiver.read_signature_key())
        except credentials.CannotDecryptError:
            problems.append(f"The webhook key of “{receiver.workspace.name}” cannot be opened with any of the keys.")
            return 0
        receiver.save(update_fields=["signature_key_sealed"])
    return 1


def _reseal_channel(pk: int, *, problems: list[str]) -> int:
    with transaction.atomic():
        channel = Channel.objects.select_for_update(no_key=True).get(pk=pk)
        sealed = [text for text in (channel.url_sealed, channel.signing_key_sealed) if text is not None]
        if all(credentials.is_sealed_with_first_key(text) for text in sealed):
            return 0
        try:
            channel.set_url(channel.read_url(), host=channel.host)
            if channel.signing_key_sealed is not None:
                channel.set_signing_key(channel.read_signing_key())
        except credentials.CannotDecryptError:
            problems.append(f"The address of channel {pk} cannot be opened with any of the keys.")
            return 0
        channel.save(update_fields=["url_sealed", "signing_key_sealed"])
    return 1


def _reseal_entry(model: type[Pause | Extension | Refusal], pk: int, *, problems: list[str]) -> int:
    with transaction.atomic():
        entry = model.objects.select_for_update(no_key=True).get(pk=pk)
        if entry.text_sealed is None or credentials.is_sealed_with_first_key(entry.text_sealed):
            return 0
        try:
            entry.set_text(entry.read_text())
        except credentials.CannotDecryptError:
            problems.append(f"The text of {model._meta.model_name} {pk} cannot be opened with any of the keys.")  # noqa: SLF001
            return 0
        entry.save(update_fields=["text_sealed"])
    return 1


def _reseal_draft(pk: int, *, problems: list[str]) -> int:
    with transaction.atomic():
        draft = Draft.objects.select_for_update(no_key=True).filter(pk=pk).first()
        if draft is None or draft.text_sealed is None or credentials.is_sealed_with_first_key(draft.text_sealed):
            return 0
        try:
            draft.set_text(draft.read_text())
        except credentials.CannotDecryptError:
            problems.append(f"Draft {pk} cannot be opened with any of the keys.")
            return 0
        draft.save(update_fields=["text_sealed"])
    return 1


def _reseal_file(pk: int, *, problems: list[str]) -> int:
    with transaction.atomic():
        row = Enclosure.objects.select_for_update(no_key=True).filter(pk=pk).first()
        if row is None or credentials.is_sealed_with_first_key(row.content_sealed):
            return 0
        try:
            row.set_file(name=row.read_name(), content=row.read_content())
        except credentials.CannotDecryptError:
            problems.append(f"The file of a message, {pk}, cannot be opened with any of the keys.")
            return 0
        row.save(update_fields=["name_sealed", "content_sealed"])
    return 1


def _sealed_wishes() -> list[int]:
    return list(OutboxEntry.objects.filter(private_sealed__isnull=False).values_list("pk", flat=True))


def _reseal_wish(pk: int, *, problems: list[str]) -> int:
    with transaction.atomic():
        entry = OutboxEntry.objects.select_for_update(no_key=True).get(pk=pk)
        sealed = entry.private_sealed
        if sealed is None or credentials.is_sealed_with_first_key(sealed):
            return 0
        try:
            entry.set_private(entry.read_private())
        except credentials.CannotDecryptError:
            problems.append(f"The texts of wish {pk} cannot be opened with any of the keys.")
            return 0
        OutboxEntry.objects.filter(pk=pk, private_sealed__isnull=False).update(private_sealed=entry.private_sealed)
    return 1
