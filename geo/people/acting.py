"""Who acts in a transaction: somebody who has signed in, or the operator at the command line."""

from dataclasses import dataclass

from sqlalchemy import Connection

from geo.database.schema.access import KeyRole
from geo.people.audit import Facts, note, note_as
from geo.people.sessions import Bearer, require


@dataclass(frozen=True)
class Operator:
    """The operator at the command line, who connects as the owner of the tables and so has all rights."""

    user: str
    organisation: str
    """The slug of the organisation in the settings."""


@dataclass(frozen=True)
class Acting:
    """A transaction, and who acts in it."""

    connection: Connection
    actor: Bearer | Operator

    @property
    def organisation(self) -> str:
        """The slug of the organisation that owns what is added, where no other is named."""
        return self.actor.organisation

    def require(self, role: KeyRole) -> None:
        """Holds that the actor's role is this one or higher.

        Raises:
            NotAllowed: the role is too low.
        """
        if isinstance(self.actor, Bearer):
            require(self.actor, role)

    def acts_for(self, organisation_id: int) -> bool:
        """Whether the survey rounds of this organisation are the actor's to change."""
        return isinstance(self.actor, Operator) or self.actor.organisation_id == organisation_id

    def note(
        self,
        action: str,
        subject: str,
        *,
        owner_id: int | None = None,
        before: Facts | None = None,
        after: Facts | None = None,
    ) -> None:
        """Notes in the audit what is done, with what it was before and what it is after.

        What an account does is noted for the account's organisation. What the operator does is noted for the
        organisation `owner_id`, which owns the subject; None: it is for operators alone to read.
        """
        if isinstance(self.actor, Bearer):
            note(self.connection, action, subject, before=before, after=after)
        else:
            by = f"{self.actor.user} at the command line"
            note_as(self.connection, by, action, subject, organisation_id=owner_id, before=before, after=after)


@dataclass(frozen=True)
class SignedIn(Acting):
    """The same, of an account; the database looks at its rights once more."""

    actor: Bearer

    @property
    def bearer(self) -> Bearer:
        """The account, with the rights it has."""
        return self.actor
