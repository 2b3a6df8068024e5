"""Lending: what is lent and paid back. So far its schedules, which are pure; the product itself comes."""
