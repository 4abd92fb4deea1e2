"""An audit of one's own TURN server, without anyone to ask: what to ask, what answers mean, what coturn's file says."""
