"""What public links add to the media service: the links, their doors and views, and the account's settings."""

from __future__ import annotations

from services.media.domain.evidence_settings import evidence_settings
from services.media.domain.link_door import link_door
from services.media.domain.link_views import link_views
from services.media.domain.public_link import public_link
from services.media.links import publishing
from services.media.readmodels import links
from services.media.readmodels.links import PublicLinks

DECIDERS = (public_link, link_door, link_views, evidence_settings)
COMMANDS = publishing.COMMANDS
QUERIES = {**publishing.QUERIES, **links.QUERIES}
READ_MODELS = (PublicLinks(),)
