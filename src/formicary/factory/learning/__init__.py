"""The factory learns by itself: challengers, gates, canaries, promotion and rollback, without anybody."""
