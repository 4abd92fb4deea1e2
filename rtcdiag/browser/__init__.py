"""A browser on the other end of a session: the page that it opens, its data channel, and what it says of itself."""
