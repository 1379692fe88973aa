"""Exports: tables of a service written to a file in the background, a part at a time, whatever interrupts it.

Knows nothing of any service: a service says which kinds of export it has and gives their rows (`kinds`).
"""
