"""Subscriptions, seats sold, invoices, payments, and what follows when somebody does not pay."""
