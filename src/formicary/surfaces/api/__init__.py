"""The way in over HTTP: ``/v1``, problem documents, limits; no business rule."""
