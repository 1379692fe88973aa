"""Offline work: what devices send is taken in once and in order, and what they need is sent to them."""
