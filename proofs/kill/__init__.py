"""Real kills: processes die by ``SIGKILL`` under load, and nothing acknowledged is lost."""
