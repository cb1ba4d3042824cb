"""Whom a night tells, and how: messages, tickets, a heartbeat."""
