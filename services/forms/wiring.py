"""Puts the forms service together."""

from __future__ import annotations

from services.forms import exchange, settling
from services.forms.commands import COMMANDS
from services.forms.domain.form import form
from services.forms.domain.form_content import form_content
from services.forms.domain.medium import medium
from services.forms.domain.submission import submission
from services.forms.exports import EXPORTS
from services.forms.incoming import DIRECTORY, MEDIA
from services.forms.processes import follow_media
from services.forms.processes.settle_media import settle_media
from services.forms.readmodels import forms, submissions
from services.forms.readmodels.directory import Directory
from services.forms.readmodels.forms import Forms
from services.forms.readmodels.submissions import SubmissionAnswers, Submissions
from services.kernel.application import ServiceDefinition, Subscription


def define() -> ServiceDefinition:
    """Everything the forms service is."""
    people = Subscription(
        "forms.directory", "identity", ("user", "team", "account"), models=DIRECTORY, into=Directory()
    )
    media = Subscription("forms.media", "media", ("medium",), models=MEDIA, react=follow_media.react)
    return ServiceDefinition(
        name="forms",
        deciders=(form, form_content, submission, medium, *EXPORTS.deciders),
        commands=COMMANDS,
        queries={**forms.QUERIES, **submissions.QUERIES, **settling.QUERIES, **exchange.QUERIES, **EXPORTS.queries},
        read_models=(Forms(), Submissions(), SubmissionAnswers(), *EXPORTS.read_models),
        reactions=(settle_media, *EXPORTS.reactions),
        subscriptions=(people, media),
    )
