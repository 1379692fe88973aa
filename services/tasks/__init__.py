"""Planned and executed work: customers, processes, status lists, tasks and their imports."""
