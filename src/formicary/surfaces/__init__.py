"""Ways in: they read what is asked, hand it on and write the answer, and know no business rule."""
