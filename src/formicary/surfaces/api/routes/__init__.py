"""The routes of ``/v1`` but for the hot ones: one module a resource, each with a ``router``."""
