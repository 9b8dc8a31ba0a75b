"""Mails leave here, by the SMTP server of SMTP_URL: what social.letters asked for."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Final

from connectme.house import House
from connectme.settings import Settings
from connectme.values import host_of
from ops import mail
from social import letters
from social.errors import Unavailable
from social.letters import Letter
from social.secrets import new_token
from store.tables import Job

PATIENCE: Final = 30.0  # seconds


def post_office(house: House) -> dict[str, Callable[[Job], Awaitable[None]]]:
    """Job kind → what does it; nothing, when there is no SMTP_URL, or nothing is to go out."""
    if not house.settings.smtp_url or not house.settings.outgoing:
        return {}
    mailer = Mailer(house.settings)

    async def send_mail(job: Job) -> None:
        """The secret of the letter is made here: a second try sends another."""
        purpose, account_id, title = job.payload["purpose"], job.payload["account_id"], house.settings.title
        letter: Letter | None
        if purpose == letters.WARNING:
            letter = await house.db.read(letters.warning, house.origin, title, job.payload["warning_id"])
        elif purpose == letters.APPROVED:
            letter = await house.db.read(letters.approved, house.origin, title, account_id)
        elif purpose == letters.REJECTED:
            letter = letters.rejected(house.origin, title, job.payload["to"], job.payload["username"])
        else:
            letter = await house.db.write(
                letters.write, house.origin, title, purpose, account_id, new_token(), datetime.now(UTC)
            )
        if letter is not None:
            await mailer.send(letter)

    return {letters.JOB: send_mail}


class Mailer:
    def __init__(self, settings: Settings) -> None:
        self._url = settings.smtp_url
        self._sender = settings.smtp_from or f"{settings.title} <no-reply@{host_of(settings.domain)}>"
        self._ca_file = settings.ca_file

    async def send(self, letter: Letter) -> None:
        """Raises: Unavailable, when the server does not take it."""
        import aiosmtplib  # noqa: PLC0415  many servers never send a mail

        try:
            async with mail.connected(self._url, self._ca_file, PATIENCE) as server:
                await server.send_message(self._message(letter))
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Unavailable("The mail could not be sent", why=type(error).__name__) from error

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._sender, letter.to, letter.subject
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain=self._sender.rpartition("@")[2].strip("<> ") or None)
        message["Auto-Submitted"] = "auto-generated"  # no holiday notice answers it
        message.set_content(letter.text)
        return message
