"""Puts the media service together."""

from __future__ import annotations

from services.kernel.application import ServiceDefinition, Subscription
from services.kernel.timers import Dispatch, Every
from services.media import sweeping
from services.media.commands import COMMANDS
from services.media.domain.medium import medium
from services.media.domain.upload import upload
from services.media.exporting import parts as exporting
from services.media.incoming import DIRECTORY, SUBMISSIONS
from services.media.links import parts as links
from services.media.processes.look_after_media import follow_answers, look_after_media
from services.media.processes.see_uploads_through import see_uploads_through
from services.media.readmodels import media, uploads
from services.media.readmodels.crews import Crews
from services.media.readmodels.media import Media
from services.media.readmodels.objects import Objects
from services.media.readmodels.uploads import OpenUploads
from services.media.readmodels.uses import Uses
from services.media.reports import parts as reports


def define() -> ServiceDefinition:
    """Everything the media service is."""
    return ServiceDefinition(
        name="media",
        deciders=(upload, medium, *links.DECIDERS, *reports.DECIDERS, *exporting.DECIDERS),
        commands={**COMMANDS, **links.COMMANDS, **reports.COMMANDS, **exporting.COMMANDS},
        queries={**uploads.QUERIES, **media.QUERIES, **links.QUERIES, **reports.QUERIES, **exporting.QUERIES},
        read_models=(
            OpenUploads(),
            Media(),
            Objects(),
            *links.READ_MODELS,
            *reports.READ_MODELS,
            *exporting.READ_MODELS,
        ),
        clocks=(Every("sweep-media", sweeping.PERIOD, Dispatch("sweep_media")),),
        # Looking at files waits for processes and the object store, and long exports must not hold it up.
        timer_threads=8,
        reactions=(see_uploads_through, look_after_media, *reports.REACTIONS, *exporting.REACTIONS),
        subscriptions=(
            Subscription("media.crews", "identity", ("team", "account"), models=DIRECTORY, into=Crews()),
            Subscription("media.uses", "forms", ("submission",), models=SUBMISSIONS, into=Uses()),
            Subscription("media.wanted", "forms", ("submission",), models=SUBMISSIONS, react=follow_answers),
            *reports.SUBSCRIPTIONS,
        ),
    )
