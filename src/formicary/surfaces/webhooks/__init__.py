"""Webhooks after the Standard Webhooks specification: events to whoever registered an address."""
