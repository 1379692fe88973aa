"""Keeps the programs of the platform running: one log, restart on crash, an orderly end."""

