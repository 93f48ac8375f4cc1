"""What the bodies of both API generations have in common: questions and answers, files, places, and test deliveries."""

from pydantic import model_validator

from webhooks.thumbtack.facts import Answer, Attachment
from webhooks.thumbtack.payloads.reading import Body, Count, Plain, Prose, RequiredText

TEST_BUSINESS = "Test Business for Webhooks"
TEST_CUSTOMER = "Test Customer"
"""By these names, and by nothing else, one knows what Thumbtack's own "Test this webhook" button sent."""


class DetailBody(Body):
    """One question of the request form and its answer; Thumbtack escapes both for HTML."""

    question: Prose = None
    answer: Prose = None

    @model_validator(mode="after")
    def _has_words(self) -> "DetailBody":
        if self.question is None and self.answer is None:
            raise ValueError("neither question nor answer")
        return self


class AttachmentBody(Body):
    """A file of a lead, a message or a review. Its name and description are the customer's words."""

    url: RequiredText
    file_name: Prose = None
    file_size: Count = None
    mime_type: Plain = None
    description: Prose = None


class LocationBody(Body):
    """Where the work is. The street is only sent for some lead types; state and zip are codes."""

    address1: Prose = None
    address2: Prose = None
    city: Prose = None
    state: Plain = None
    zip_code: Plain = None


def answers(details: tuple[DetailBody | None, ...]) -> tuple[Answer, ...]:
    """What the customer answered; what could not be read is left out."""
    return tuple(Answer(question=one.question or "", answer=one.answer or "") for one in details if one)


def attachments(files: tuple[AttachmentBody | None, ...]) -> tuple[Attachment, ...]:
    """The files that came along; what could not be read is left out."""
    return tuple(Attachment(**dict(one)) for one in files if one)
