"""Accounts, people, teams, sessions and keys: who someone is and what that person may do."""
