"""Exports of media: the originals with a manifest and checksums, as one ZIP that is written while it is read."""
