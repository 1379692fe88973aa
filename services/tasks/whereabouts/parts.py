"""What whereabouts add to the tasks service: the tracks, their read models and questions, and the map."""

from __future__ import annotations

from collections.abc import Mapping

from services.kernel.application import Answers, Do, On
from services.tasks.domain.track import RecordPoints, track
from services.tasks.readmodels import places, tracks
from services.tasks.readmodels.places import Places
from services.tasks.readmodels.tracks import LastPositions, Routes
from services.tasks.whereabouts.recording import recording

DECIDERS = (track,)
COMMANDS: Mapping[str, On | Do] = {"record_points": On(track, RecordPoints, id="track_id", prepare=recording)}
QUERIES: Mapping[str, Answers] = {**tracks.QUERIES, **places.QUERIES}
READ_MODELS = (LastPositions(), Routes(), Places())
